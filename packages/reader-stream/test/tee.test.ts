import { PassThrough, Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { RowChunk } from "@npystream/codec";
import test from "ava";
import { rebatch, tee } from "../src/index.ts";
import { chunkInputs, consumer, countingInputs, settle, transformSuite } from "./transform-suite.ts";

const nowhere = (): Writable => consumer(() => undefined);

transformSuite({ name: "tee", make: () => tee(nowhere()), holds: 3, takesSignal: false });
transformSuite({
  name: "tee of a tee",
  make: () => tee(tee(nowhere()).resume(), nowhere()),
  holds: 4,
  takesSignal: false,
});

/** A branch that keeps what it gets. */
function collector(delayTurns = 0) {
  const chunks: RowChunk[] = [];
  const branch = consumer(async (chunk) => {
    if (delayTurns > 0) await settle(delayTurns);
    chunks.push(chunk);
  });
  return { branch, chunks };
}

test("every branch and the reader get every chunk itself", async (t) => {
  const [first, second, main] = [collector(), collector(2), collector(1)];
  await pipeline(Readable.from(chunkInputs), tee(first.branch, second.branch), main.branch);
  for (const { chunks } of [first, second, main]) t.deepEqual(chunks, [...chunkInputs]);
  t.is(first.chunks[5], chunkInputs[5]);
  t.is(first.branch.listenerCount("drain") + first.branch.listenerCount("error"), 0);
});

test("the slowest branch decides, and the others hold no more than their share", async (t) => {
  const { source, counts } = countingInputs(chunkInputs);
  const slow = collector(6);
  let most = 0;
  const main = consumer(() => {
    most = Math.max(most, counts.given - slow.chunks.length);
  });
  await pipeline(source, tee(slow.branch), main);
  t.is(slow.chunks.length, chunkInputs.length);
  t.true(most <= 6, `${most} chunks in memory`);
});

test("a branch that takes nothing stops all", async (t) => {
  const { source, counts } = countingInputs(chunkInputs);
  const stuck = new PassThrough({ objectMode: true, highWaterMark: 1 });
  const main = collector();
  const done = pipeline(source, tee(stuck), main.branch);
  await settle();
  t.true(counts.given <= 6);
  stuck.resume();
  await done;
  t.is(main.chunks.length, chunkInputs.length);
});

test("the stream ends when its branches have finished, not before", async (t) => {
  let finished = false;
  const branch = new Writable({
    objectMode: true,
    write: (_, __, done) => done(),
    final: (done) => {
      setImmediate(() => {
        finished = true;
        done();
      });
    },
  });
  await pipeline(Readable.from(chunkInputs), tee(branch), nowhere());
  t.true(finished);
});

test("a branch that fails destroys all with its error", async (t) => {
  const error = new Error("the disk is full");
  const failing = consumer(() => Promise.reject(error));
  const other = collector();
  const { source, counts } = countingInputs(chunkInputs);
  t.is(await t.throwsAsync(pipeline(source, tee(other.branch, failing), nowhere())), error);
  t.true(other.branch.destroyed && !other.branch.writableFinished);
  t.true(source.destroyed && counts.given < 8);
});

test("a branch that fails as it finishes fails all", async (t) => {
  const error = new Error("it cannot be named");
  const failing = new Writable({ objectMode: true, write: (_, __, done) => done(), final: (done) => done(error) });
  t.is(await t.throwsAsync(pipeline(Readable.from(chunkInputs), tee(failing), nowhere())), error);
});

test("a branch whose consumer has seen enough drops out, and the others go on", async (t) => {
  const head = rebatch(4);
  const main = collector();
  const done = pipeline(Readable.from(chunkInputs), tee(head), main.branch);
  for await (const chunk of head) {
    t.is(chunk.length, 4);
    break;
  }
  await done;
  t.is(main.chunks.length, chunkInputs.length);
  t.true(head.destroyed);
});

test("a branch that somebody ended, or that was closed before, gets nothing more", async (t) => {
  const [ended, closed] = [collector(), collector()];
  closed.branch.destroy();
  const main = consumer(() => void (ended.branch.writableEnded || ended.branch.end()));
  await pipeline(Readable.from(chunkInputs), tee(ended.branch, closed.branch), main);
  t.true(ended.chunks.length < chunkInputs.length);
  t.is(closed.chunks.length, 0);
});

test("an error upstream, and an error of the reader, reach the branches, which finish nothing", async (t) => {
  const error = new Error("the disk is gone");
  const branch = collector().branch;
  const closing = new Promise((resolve) => branch.once("close", resolve));
  t.is(await t.throwsAsync(pipeline(countingInputs(chunkInputs, 3, error).source, tee(branch), nowhere())), error);
  await closing;
  t.is(branch.errored, error);
  const other = collector().branch;
  const failing = consumer(() => Promise.reject(error));
  t.is(await t.throwsAsync(pipeline(Readable.from(chunkInputs), tee(other), failing)), error);
  t.true(other.destroyed && !other.writableFinished);
});

test("what is no branch is refused", (t) => {
  t.throws(() => tee(), { instanceOf: TypeError });
  t.throws(() => tee(new PassThrough()), { instanceOf: TypeError });
  t.throws(() => tee(3 as unknown as Writable), { instanceOf: TypeError });
});
