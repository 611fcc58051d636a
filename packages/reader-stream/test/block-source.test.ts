import { constants, crc32, deflateRawSync } from "node:zlib";
import { encodeNpz, NdArray, portableEngine } from "@npystream/codec";
import test from "ava";
import { blockSource } from "../src/block-source.ts";
import { bytesSource, openNpy, openNpz } from "../src/index.ts";
import { bytesRead, countedSource } from "./counted-source.ts";
import { sourceSuite } from "./source-suite.ts";

/** An engine that cuts blocks, as writer-stream's does. */
const engine = {
  ...portableEngine,
  crc32: (bytes: Uint8Array, seed?: number) => crc32(bytes, seed),
  deflate: (bytes: Uint8Array, level: number) => deflateRawSync(bytes, { level }),
  deflateBlock: (bytes: Uint8Array, level: number, isLast: boolean) =>
    deflateRawSync(bytes, { level, finishFlush: isLast ? constants.Z_FINISH : constants.Z_FULL_FLUSH }),
};

sourceSuite(test, "a member deflated in blocks", async (_, __, content) => {
  const blockBytes = Math.max(4096, Math.ceil(content.length / 12));
  const blocks: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < content.length; start += blockBytes) {
    const stop = start + blockBytes;
    blocks.push(engine.deflateBlock(content.subarray(start, stop), 1, stop >= content.length));
  }
  const ends = blocks.map((_, i) => Buffer.concat(blocks.slice(0, i)).length);
  const deflated = Buffer.concat(blocks);
  const table = { firstBytes: blockBytes, blockBytes, compressed: Float64Array.of(...ends, deflated.length) };
  return { source: blockSource(bytesSource(deflated), { start: 0, byteLength: content.length, table }) };
});

// Ten blocks of a MiB, of rows of 1 KiB that hold their number, and noise so that blocks keep a size.
const values = new Float32Array(10 * 1024 * 256);
for (let i = 0; i < values.length; i++) values[i] = i % 256 === 0 ? i / 256 : Math.sin(i);
const array = NdArray.from(values, [10 * 1024, 256]);
const bytes = encodeNpz({ a: array }, { compress: true, engine });

async function opened() {
  const source = countedSource(bytes);
  const archive = await openNpz(source);
  const handle = await archive.open("a");
  source.reads.length = 0;
  return { source, archive, handle };
}

test("rows of a block-deflated member inflate only their blocks", async (t) => {
  const { source, handle } = await opened();
  const rows = await handle.rows(5000, 5100);
  t.is(rows.get(0, 0), 5000);
  t.is(rows.get(99, 0), 5099);
  t.is(source.reads.length, 1);
  t.true(bytesRead(source) < bytes.length / 8, `${bytesRead(source)} of ${bytes.length}`);
});

test("a neighbour in the same block is read from memory", async (t) => {
  const { source, handle } = await opened();
  await handle.rows(2100, 2110);
  const before = source.reads.length;
  t.is((await handle.rows(2110, 2120)).get(0, 0), 2110);
  t.is(source.reads.length, before);
});

test("a gather over all blocks gives its rows in order", async (t) => {
  const { handle } = await opened();
  const rows = Array.from({ length: 64 }, (_, i) => (i * 7919) % array.length);
  const gathered = await handle.gather(rows, { as: "float64" });
  t.deepEqual(
    Array.from(gathered, (row) => row.get(0)),
    rows,
  );
});

test("the whole member is the array, by jobs of several blocks", async (t) => {
  const { source, handle } = await opened();
  const whole = await handle.read();
  t.deepEqual(whole.data, array.data);
  t.true(source.reads.length <= 3, `${source.reads.length} reads`);
});

test("a stream of it gives every row once", async (t) => {
  const { handle } = await opened();
  let row = 0;
  for await (const chunk of handle.stream({ chunkBytes: 300_000 })) {
    for (const each of chunk) t.is(each.get(0), row++);
  }
  t.is(row, array.length);
});

test("a broken block is ERR_NPZ_DEFLATE or ERR_NPZ_CRC where it is touched, and no other read fails", async (t) => {
  const broken = bytes.slice();
  const at = Math.floor(bytes.length * 0.55);
  broken.fill(0xff, at, at + 2000);
  await using handle = await openNpy({ ...countedSource(broken) }).catch(async () => {
    const archive = await openNpz(countedSource(broken));
    return await archive.open("a");
  });
  t.is((await handle.rows(100, 101)).get(0, 0), 100);
  const error = await t.throwsAsync(handle.rows(5000, 7000));
  t.like(error, { code: "ERR_NPZ_DEFLATE", member: "a" });
  await t.throwsAsync(handle.read(), { code: "ERR_NPZ_DEFLATE" });
  t.is((await handle.rows(9000, 9001)).get(0, 0), 9000);
});

test("a table that lies about its blocks is ERR_NPZ_SIZE", async (t) => {
  // The table's first field is the length of the first block.
  const id = [0x4e, 0x42];
  const at = bytes.findLastIndex((byte, i) => byte === id[0] && bytes[i + 1] === id[1]);
  const lying = bytes.slice();
  new DataView(lying.buffer).setBigUint64(at + 5, 12_345n, true);
  const archive = await openNpz(countedSource(lying));
  const error = await t.throwsAsync(archive.open("a").then(async (handle) => await handle.rows(5000, 5001)));
  t.like(error, { code: "ERR_NPZ_SIZE" });
});

test("an aborted read rejects with the reason untouched", async (t) => {
  const { handle } = await opened();
  const reason = { why: "enough" };
  for (const read of [
    handle.rows(0, 9000, { signal: AbortSignal.abort(reason) }),
    handle.rows(0, 1, { signal: AbortSignal.abort(reason) }),
  ]) {
    t.is(await read.catch((error: unknown) => error), reason);
  }
});

test("a block that claims what it cannot hold is ERR_NPZ_SIZE before it gets memory", async (t) => {
  const deflated = deflateRawSync(new Uint8Array(1000));
  const claimed = 2 ** 45;
  const table = { firstBytes: claimed, blockBytes: 1, compressed: Float64Array.of(0, deflated.length) };
  const source = blockSource(countedSource(deflated), { start: 0, byteLength: claimed, table });
  await t.throwsAsync(source.read(new Uint8Array(1), 0), { code: "ERR_NPZ_SIZE", message: /inflates to 1000/ });
});

test("of blocks larger than this project makes, one is kept", async (t) => {
  const blockBytes = 12 << 20;
  const blocks = [1, 2].map((value) => engine.deflateBlock(new Uint8Array(blockBytes).fill(value), 1, value === 2));
  const counted = countedSource(Buffer.concat(blocks));
  const compressed = Float64Array.of(0, blocks[0]?.length ?? 0, counted.byteLength);
  const member = { start: 0, byteLength: 2 * blockBytes, table: { firstBytes: blockBytes, blockBytes, compressed } };
  const source = blockSource(counted, member);
  const into = new Uint8Array(2);
  for (const position of [5, 9, blockBytes, 5]) await source.read(into, position);
  t.deepEqual([...into], [1, 1]);
  t.is(counted.reads.length, 3);
  await source.read(into, blockBytes - 1);
  t.deepEqual([...into], [1, 2]);
});
