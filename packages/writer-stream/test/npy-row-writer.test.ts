import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ByteSink, isNpyError, NdArray } from "@npystream/codec";
import test from "ava";
import { NpyRowWriter } from "../src/npy-row-writer.ts";
import { type NpyWriteOptions, resolveWriteOptions } from "../src/npy-write-options.ts";
import { createNpyWriteStream } from "../src/npy-write-stream.ts";
import { createNpzWriter } from "../src/npz-writer.ts";
import { RowEncoder } from "../src/row-encoder.ts";
import { createShardWriter } from "../src/shard-writer.ts";
import { writeNpy } from "../src/write-npy.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-rows-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** Counts the bytes that come. */
class CountingSink implements ByteSink {
  readonly seekable = true;
  byteLength = 0;

  async write(bytes: Uint8Array, position?: number): Promise<void> {
    if (position === undefined) this.byteLength += bytes.length;
  }

  async commit(): Promise<void> {}

  async abort(): Promise<void> {}
}

function rowWriter(options: NpyWriteOptions): { readonly sink: CountingSink; readonly writer: NpyRowWriter } {
  const sink = new CountingSink();
  const resolved = resolveWriteOptions(sink, options);
  const encoder = new RowEncoder(options.dtype, options.rowShape);
  return { sink, writer: new NpyRowWriter(sink, encoder, resolved, () => undefined) };
}

test("rows are counted and their bytes with them, whether they come as bytes, lists or arrays", async (t) => {
  const { sink, writer } = rowWriter({ dtype: "int16", rowShape: [2] });
  for (const chunk of [Int16Array.of(1, 2), [[3, 4]], new Uint8Array(8), NdArray.zeros("int16", [3, 2])]) {
    await writer.take(chunk)?.write();
  }
  const { shape, byteLength } = await writer.finish();
  t.deepEqual([...shape], [7, 2]);
  t.is(byteLength, 128 + 7 * 4);
  t.is(sink.byteLength, byteLength);
});

test("a sequence has an array for each chunk, empty ones too where something told what they are", async (t) => {
  const { sink, writer } = rowWriter({ framing: "sequence" });
  for (const chunk of [[1, 2], [], [3]]) await writer.take(chunk)?.write();
  t.is((await writer.finish()).byteLength, 3 * 128 + 3 * 8);
  t.is(sink.byteLength, 3 * 128 + 3 * 8);
  const given = rowWriter({ framing: "sequence", dtype: "int8", rowShape: [] });
  await given.writer.take([])?.write();
  t.is((await given.writer.finish()).byteLength, 128);
});

test("a sequence that begins with a list without rows is refused: nothing tells what array that is", (t) => {
  for (const options of [{}, { dtype: "int8" }, { rowShape: [] }]) {
    const { writer } = rowWriter({ framing: "sequence", ...options });
    t.throws(() => writer.take([]), { code: "ERR_WRITE_SHAPE", message: /^chunk 0: .*without rows/ });
  }
});

/** Begins an array in a folder, and gives what writes the rest of it. */
type Begin = (place: string) => Promise<(rest: Float64Array) => Promise<unknown>>;

const transferred = test.macro({
  title: (what) => `${what} whose buffer is transferred while it is written fails, and no name stands for what is left`,
  async exec(t, begin: Begin) {
    const place = mkdtempSync(join(folder, "transferred-"));
    const rest = new Float64Array(600_000);
    const writing = (await begin(place))(rest);
    // As postMessage does with a transfer list.
    structuredClone(rest.buffer, { transfer: [rest.buffer] });
    const error = await t.throwsAsync(writing);
    // A typed array without its buffer throws by itself where it is looked into.
    t.true(error instanceof TypeError || (isNpyError(error) && error.code === "ERR_WRITE_SHAPE"), String(error));
    t.deepEqual(readdirSync(place), []);
  },
});
test("a chunk", transferred, async (place) => {
  const out = createNpyWriteStream(join(place, "x.npy"));
  await out.push([1]);
  return (rest) => out.push(rest).then(() => out.finish());
});
test("a chunk of shards", transferred, async (place) => {
  const out = createShardWriter(join(place, "x-{shard:02}.npy"), { maxRows: 1e6 });
  await out.push([1]);
  return (rest) => out.push(rest).then(() => out.finish());
});
test("a chunk of a member", transferred, async (place) => {
  const archive = createNpzWriter(join(place, "x.npz"));
  const out = archive.member("x");
  await out.push([1]);
  return (rest) =>
    out
      .push(rest)
      .then(() => out.finish())
      .then(() => archive.finish());
});
test("a whole array", transferred, async (place) => (rest) => writeNpy(join(place, "x.npy"), rest));

test("bytes that are missing at the end are refused, whoever took them", async (t) => {
  const { sink, writer } = rowWriter({ dtype: "float64", rowShape: [], highWaterMark: 4096 });
  await writer.take(new Float64Array(10))?.write();
  const chunk = new Float64Array(1 << 16);
  const pending = writer.take(chunk);
  structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
  await pending?.write();
  await t.throwsAsync(writer.finish(), { code: "ERR_WRITE_SHAPE", message: /are left of/ });
  t.true(sink.byteLength < 1 << 19);
});
