import type { ByteSink } from "@npystream/codec";
import test from "ava";
import { commitPieces } from "../src/write-pieces.ts";

/** Writes down what is asked of it; a write may wait until the sink is aborted. */
class ListSink implements ByteSink {
  readonly seekable = true;
  readonly calls: string[] = [];
  isStuck = false;
  #release: (error: Error) => void = () => undefined;

  async write(bytes: Uint8Array): Promise<void> {
    this.calls.push(`write ${bytes.length}`);
    if (this.isStuck) await new Promise((_, reject) => (this.#release = reject));
  }

  async commit(): Promise<void> {
    this.calls.push("commit");
  }

  async abort(reason: unknown): Promise<void> {
    this.calls.push(`abort ${reason instanceof Error ? reason.message : reason}`);
    this.#release(new Error("aborted"));
  }
}

const pieces = [new Uint8Array(10), new Uint8Array(20)];

test("pieces are gathered, counted and committed", async (t) => {
  const sink = new ListSink();
  await commitPieces(sink, pieces, 30, undefined);
  t.deepEqual(sink.calls, ["write 30", "commit"]);
});

test("pieces of another length than was told are ERR_WRITE_SHAPE, and aborted", async (t) => {
  const sink = new ListSink();
  await t.throwsAsync(commitPieces(sink, pieces, 31, undefined), { code: "ERR_WRITE_SHAPE" });
  t.is(sink.calls.length, 2);
  t.regex(sink.calls[1] ?? "", /^abort 30 bytes/);
});

test("an error of the pieces aborts the sink with it", async (t) => {
  const sink = new ListSink();
  const failure = new Error("upstream");
  const failing = function* (): Generator<Uint8Array> {
    yield new Uint8Array(1);
    throw failure;
  };
  await t.throwsAsync(commitPieces(sink, failing(), 1, undefined), { is: failure });
  t.deepEqual(sink.calls, ["abort upstream"]);
});

test("an abort frees a sink that is stuck in a write, and rejects with its reason", async (t) => {
  const sink = new ListSink();
  sink.isStuck = true;
  const controller = new AbortController();
  const writing = commitPieces(sink, [new Uint8Array(3 << 20)], 3 << 20, controller.signal);
  await new Promise(setImmediate);
  controller.abort("enough");
  t.is(await writing.catch((error: unknown) => error), "enough");
  t.deepEqual(sink.calls.slice(0, 2), ["write 3145728", "abort enough"]);
  t.false(sink.calls.includes("commit"));
});
