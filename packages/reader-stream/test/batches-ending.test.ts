import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type ByteSource, encodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { type BatchesOptions, openDataset } from "../src/index.ts";

const bytes = encodeNpy(NdArray.from(Float64Array.from({ length: 1000 }, (_, i) => i)));

/** A source whose reads wait for `open`, and that knows how many are under way. */
function gated(): ByteSource & { underWay: number; gate: Promise<unknown> } {
  const source = {
    byteLength: bytes.length,
    underWay: 0,
    gate: Promise.resolve() as Promise<unknown>,
    read: async (into: Uint8Array, position: number) => {
      source.underWay++;
      await source.gate;
      into.set(bytes.subarray(position, position + into.length));
      source.underWay--;
    },
    close: async () => undefined,
  };
  return source;
}

const leaves = test.macro({
  title: (_, what: string) =>
    `return waits for the reads of the batch that is waited for, which is answered with the end: ${what}`,
  async exec(t, _what: string, options: Partial<Omit<BatchesOptions, "transform">>) {
    const source = gated();
    await using dataset = await openDataset({ x: source });
    let open = (): void => undefined;
    source.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const batches = dataset.batches({ size: 10, prefetch: 0, ...options });
    const pending = batches.next();
    while (source.underWay === 0) await sleep(1);
    const ended = batches.return();
    setTimeout(open, 10);
    t.deepEqual(await ended, { done: true, value: undefined });
    t.is(source.underWay, 0);
    t.deepEqual(await pending, { done: true, value: undefined });
  },
});
test(leaves, "row by row", { shuffle: { kind: "full" }, memory: 0 });
test(leaves, "row by row, pooled", { shuffle: { kind: "full" }, memory: 0, ownership: "pooled" });
test(leaves, "as they lie", {});
test(leaves, "as they lie, a read a batch", { memory: 0 });
test(leaves, "by blocks", { shuffle: true });
test(leaves, "read whole", { shuffle: { kind: "full" } });

test("a transform that never settles holds up neither an abort nor a return, and is told", async (t) => {
  await using dataset = await openDataset({ x: bytes });
  const told: AbortSignal[] = [];
  const transform = (_: unknown, __: unknown, signal: AbortSignal): Promise<undefined> => {
    told.push(signal);
    return new Promise(() => undefined);
  };
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = dataset.batches({ size: 10, transform, signal: controller.signal });
  const pending = aborted.next();
  await sleep(1);
  controller.abort(reason);
  t.is(await t.throwsAsync(pending), reason);
  await aborted.return();
  const left = dataset.batches({ size: 10, transform });
  const waiting = left.next();
  await sleep(1);
  await left.return();
  t.true((await waiting).done);
  t.true(told.length > 0 && told.every((signal) => signal.aborted));
});

test("a transform may end the iteration it is of", async (t) => {
  await using dataset = await openDataset({ x: bytes });
  const batches = dataset.batches({
    size: 10,
    transform: async () => {
      await batches.return();
      return undefined;
    },
  });
  t.true((await batches.next()).done);
});

test("an iteration that nobody begins leaves no listener at its signal, nor does one that has ended", async (t) => {
  await using dataset = await openDataset({ x: bytes });
  const { signal } = new AbortController();
  dataset.batches({ size: 10, signal });
  t.throws(() => dataset.stream({ size: 10, signal, ownership: "pooled" }), { instanceOf: TypeError });
  t.is(getEventListeners(signal, "abort").length, 0);
  for await (const _ of dataset.batches({ size: 10, signal })) t.true(getEventListeners(signal, "abort").length <= 1);
  t.is(getEventListeners(signal, "abort").length, 0);
});

test("the memory of a pooled batch that is skipped is used again", async (t) => {
  await using dataset = await openDataset({ x: bytes });
  const skipped: NdArray[] = [];
  const batches = dataset.batches({
    ...{ size: 10, ownership: "pooled", prefetch: 1 },
    transform: ({ x, meta }) => {
      if (meta.index % 2 === 0) return undefined;
      skipped.push(x);
      throw new Error("a bad batch");
    },
    onError: () => "skip",
  });
  const seen: number[] = [];
  for await (const { x, meta } of batches) {
    seen.push(meta.index);
    if (x.get(0) !== meta.index * 10) throw new Error(`batch ${meta.index} has row ${x.get(0)}`);
  }
  t.deepEqual(
    seen,
    Array.from({ length: 50 }, (_, i) => 2 * i),
  );
  // What is given back is detached.
  t.true(skipped.slice(0, -1).every(({ data }) => data.length === 0));
});
