import { crc32 } from "node:zlib";
import test from "ava";
import { StoredBody } from "../src/npz-member-body.ts";

const header = new Uint8Array(128).fill(1);
const last = new Uint8Array(128).fill(2);
const piece = Uint8Array.from({ length: 30_000 }, (_, i) => i);

test("a small member is held whole, without a place", async (t) => {
  const body = new StoredBody(header, () => Promise.reject(new Error("no place")));
  const changing = piece.slice();
  await body.write(changing);
  changing.fill(0);
  await body.write(piece);
  const whole = await body.finish(last);
  const content = Buffer.concat([last, piece, piece]);
  t.true(content.equals(whole.bytes ?? new Uint8Array()));
  t.is(whole.crc32, crc32(content));
});

test("a larger one goes to its place, its header is replaced only where it changed, and its checksum is right", async (t) => {
  for (const end of [header, last]) {
    let bytes = Buffer.alloc(0);
    let rewrites = 0;
    const body = new StoredBody(header, async () => ({
      write: async (more) => {
        bytes = Buffer.concat([bytes, more]);
      },
      rewriteStart: async (start) => {
        rewrites++;
        bytes.set(start);
      },
    }));
    for (let i = 0; i < 5; i++) await body.write(piece);
    const { bytes: held, ...whole } = await body.finish(end);
    const content = Buffer.concat([end, piece, piece, piece, piece, piece]);
    t.true(bytes.equals(content));
    t.deepEqual(whole, { crc32: crc32(content), compressedSize: content.length, byteLength: content.length });
    t.is(held, undefined);
    t.is(rewrites, end === header ? 0 : 1);
  }
});
