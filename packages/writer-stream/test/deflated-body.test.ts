import { crc32, inflateRawSync } from "node:zlib";
import { formatNpyHeader, parseBlockTable, planBlocks } from "@npystream/codec";
import test from "ava";
import { DeflatedBody } from "../src/deflated-body.ts";
import { BlockDeflater } from "../src/node-deflater.ts";

const data = new Uint8Array(Float32Array.from({ length: 1_100_000 }, (_, i) => (i * 48271) % 1000).buffer);

/** Writes data in pieces behind a header, which is another one of its length at the end. */
async function write(header: Uint8Array, last: Uint8Array, pieceBytes: number, concurrency: number) {
  const deflater = new BlockDeflater(6, concurrency);
  let bytes = Buffer.alloc(0);
  let mostInFlight = 0;
  const place = {
    write: async (piece: Uint8Array) => {
      mostInFlight = Math.max(mostInFlight, deflater.inFlight);
      bytes = Buffer.concat([bytes, piece]);
    },
    rewriteStart: async (piece: Uint8Array) => void bytes.set(piece),
  };
  const body = new DeflatedBody(header, planBlocks(header.length, 100), deflater, async () => place);
  for (let start = 0; start < data.length; start += pieceBytes) {
    await body.write(data.subarray(start, start + pieceBytes));
  }
  return { whole: await body.finish(last), bytes, mostInFlight, inFlight: deflater.inFlight };
}

const header = (rows: number, fields = 0): Uint8Array =>
  formatNpyHeader({
    dtype: fields === 0 ? "float32" : Array.from({ length: fields }, (_, i) => [`field${i}`, "|u1"] as const),
    shape: [rows, 25],
  });

const inflates = test.macro({
  title: (_, what: string) => `blocks inflate alone and together, and the header is the last one: ${what}`,
  async exec(t, _what: string, fields: number, pieceBytes: number, concurrency: number) {
    const [first, last] = [header(0, fields), header(44_000, fields)];
    t.is(first.length, last.length);
    const { whole, bytes, mostInFlight, inFlight } = await write(first, last, pieceBytes, concurrency);
    const content = Buffer.concat([last, data]);
    t.true(inflateRawSync(bytes).equals(content));
    t.is(whole.crc32, crc32(content));
    t.deepEqual([whole.byteLength, whole.compressedSize], [content.length, bytes.length]);
    const table = parseBlockTable(whole.table ?? new Uint8Array(), whole.byteLength, whole.compressedSize);
    t.is(table?.compressed.length, 6);
    for (let i = 0; i < 5; i++) {
      const block = bytes.subarray(table?.compressed[i], table?.compressed[i + 1]);
      const inflated = inflateRawSync(i === 4 ? block : Buffer.concat([block, Buffer.of(3, 0)]));
      const { firstBytes = 0, blockBytes = 0 } = table ?? {};
      const start = i === 0 ? 0 : firstBytes + (i - 1) * blockBytes;
      t.true(inflated.equals(content.subarray(start, firstBytes + i * blockBytes)));
    }
    t.true(mostInFlight <= Math.max(2, concurrency), `${mostInFlight} blocks`);
    t.is(inFlight, 0);
  },
});
test(inflates, "small pieces", 0, 1000, 8);
test(inflates, "all at once", 0, data.length, 3);
test(inflates, "one at a time", 0, 1 << 20, 1);
test(inflates, "a header longer than a stored block may be", 5000, 1 << 20, 4);

test("a member of one block is held, and deflated with its header", async (t) => {
  const deflater = new BlockDeflater(6, 2);
  const body = new DeflatedBody(header(0), planBlocks(128, 100), deflater, () => Promise.reject(new Error("no place")));
  await body.write(data.subarray(0, 1000));
  const whole = await body.finish(header(10));
  t.is(whole.table, undefined);
  t.true(inflateRawSync(whole.bytes ?? "").equals(Buffer.concat([header(10), data.subarray(0, 1000)])));
  t.is(deflater.inFlight, 0);
});
