import { once } from "node:events";
import { NdArray, RowChunk } from "@npystream/codec";
import test from "ava";
import { ChunkSplitter } from "../src/chunk-splitter.ts";
import { ONE_CHUNK } from "../src/chunk-transform.ts";
import { settle } from "./transform-suite.ts";

const rows = NdArray.zeros("int8", [1]);

/** Makes as many chunks as an input says, and one more at the end. */
class Counter extends ChunkSplitter<number> {
  made = 0;

  constructor() {
    super({ ...ONE_CHUNK, writableHighWaterMark: 2 }, undefined);
  }

  protected override *split(count: number): Iterable<RowChunk> {
    for (let i = 0; i < count; i++) {
      if (i === 5) throw new RangeError("five are too many");
      yield this.#chunk();
    }
  }

  protected override rest(): Iterable<RowChunk> {
    if (this.made === 0) throw new RangeError("there was nothing");
    return [this.#chunk()];
  }

  #chunk(): RowChunk {
    return new RowChunk({ dtype: rows.type, shape: [1], data: rows.data, rowStart: this.made++ });
  }
}

test("the chunks of every input come in order, then those that are left", async (t) => {
  const splitter = new Counter();
  for (const count of [2, 0, 3]) splitter.write(count);
  splitter.end();
  const chunks = (await splitter.toArray()) as RowChunk[];
  t.deepEqual(
    chunks.map(({ rowStart }) => rowStart),
    [0, 1, 2, 3, 4, 5],
  );
});

test("the generator runs as far as chunks are wanted, and the next input waits for it", async (t) => {
  const splitter = new Counter();
  let taken = 0;
  for (const count of [4, 4]) splitter.write(count, () => taken++);
  await settle();
  t.true(splitter.made <= 2, `${splitter.made} chunks`);
  t.is(taken, 0);
  for (let i = 0; i < 4; i++) {
    if (splitter.readableLength === 0) await once(splitter, "readable");
    t.true(splitter.read() instanceof RowChunk);
  }
  await settle();
  t.is(taken, 1);
  splitter.destroy();
});

test("an error in the middle of an input, or at the end, destroys it", async (t) => {
  const splitter = new Counter();
  splitter.write(9);
  await t.throwsAsync(splitter.toArray(), { instanceOf: RangeError, message: "five are too many" });
  const empty = new Counter();
  empty.end();
  await t.throwsAsync(empty.toArray(), { message: "there was nothing" });
});
