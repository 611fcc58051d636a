import { constants, deflateRawSync } from "node:zlib";
import test from "ava";
import { inflateInto, inflateWhole } from "../src/inflate-whole.ts";

const content = new Uint8Array(100_000).map((_, i) => (i * i) >> 7);

test.serial("it gives the content", async (t) => {
  t.deepEqual(await inflateWhole(deflateRawSync(content), content.length), content);
});

test.serial("a cut stream is taken where it is said to be cut", async (t) => {
  const cut = deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH });
  const into = new Uint8Array(content.length);
  await inflateInto(cut, into, { isCut: true });
  t.deepEqual(into, content);
  await t.throwsAsync(inflateInto(cut, into), { code: "ERR_NPZ_DEFLATE" });
});

test.serial("no content is no bytes", async (t) => {
  t.is((await inflateWhole(deflateRawSync(new Uint8Array(0)), 0)).length, 0);
});

test.serial("another length than declared is ERR_NPZ_SIZE", async (t) => {
  const deflated = deflateRawSync(content);
  await t.throwsAsync(inflateWhole(deflated, content.length - 1), {
    code: "ERR_NPZ_SIZE",
    message: /inflates to more/,
  });
  await t.throwsAsync(inflateWhole(deflated, content.length + 1), {
    code: "ERR_NPZ_SIZE",
    message: /inflates to 100000/,
  });
});

test.serial("a size that only is claimed costs no memory of that size", async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  let highest = before;
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().arrayBuffers);
  }, 1);
  await t.throwsAsync(inflateWhole(deflateRawSync(new Uint8Array(10)), 1 << 30), { code: "ERR_NPZ_SIZE" });
  clearInterval(watch);
  highest = Math.max(highest, process.memoryUsage().arrayBuffers);
  t.true(highest - before < 20e6, `${highest - before} bytes`);
});

test.serial("a long run of zeros is believed once it was seen", async (t) => {
  const zeros = new Uint8Array(40 << 20);
  const inflated = await inflateWhole(deflateRawSync(zeros), zeros.length);
  t.is(inflated.length, zeros.length);
  t.true(inflated.every((byte) => byte === 0));
});

test.serial("what is no deflate stream is ERR_NPZ_DEFLATE with its cause", async (t) => {
  const error = await t.throwsAsync(inflateWhole(new Uint8Array([7, 7, 7]), 10), { code: "ERR_NPZ_DEFLATE" });
  t.true(error?.cause instanceof Error);
});

test.serial("an abort ends it with the reason untouched, and nothing is written any more", async (t) => {
  const zeros = deflateRawSync(new Uint8Array(64 << 20), { level: 1 });
  const into = new Uint8Array(64 << 20).fill(1);
  const controller = new AbortController();
  const inflating = inflateInto(zeros, into, { signal: controller.signal });
  setImmediate(() => controller.abort(null));
  t.is(await inflating.catch((error: unknown) => error), null);
  const written = into.indexOf(1);
  t.true(written >= 0 && written < into.length);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.is(into.indexOf(1), written);
  t.is(await inflateWhole(zeros, 1, { signal: AbortSignal.abort(null) }).catch((error: unknown) => error), null);
});

const toldInPieces = test.macro({
  title: (_, byteLength: number) => `${byteLength} bytes have memory of their own and are told in their order`,
  async exec(t, byteLength: number) {
    const long = new Uint8Array(byteLength).map((_, i) => (i * 7) >> 5);
    const pieces: Uint8Array[] = [];
    const onPiece = (piece: Uint8Array): void => void pieces.push(piece.slice());
    const inflated = await inflateWhole(deflateRawSync(long, { level: 1 }), byteLength, { onPiece });
    t.is(Buffer.compare(inflated, long), 0);
    t.is(Buffer.compare(Buffer.concat(pieces), long), 0);
    // A short piece of Node's lies in a pool, which others share.
    t.true(inflated.buffer.byteLength <= byteLength + 64);
    t.is(inflated.byteOffset, 0);
  },
});

test.serial(toldInPieces, 100);
test.serial(toldInPieces, 1 << 20);
test.serial(toldInPieces, 3 << 20);

test.serial("a claim that is seen first is told once", async (t) => {
  const zeros = new Uint8Array(20 << 20);
  let told = 0;
  await inflateWhole(deflateRawSync(zeros, { level: 1 }), zeros.length, {
    onPiece: ({ length }) => {
      told += length;
    },
  });
  t.is(told, zeros.length);
});
