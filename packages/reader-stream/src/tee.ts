import { Transform, type TransformCallback, type Writable } from "node:stream";
import type { RowChunk } from "@npystream/codec";
import { ONE_CHUNK } from "./chunk-transform.ts";

/**
 * Passes row chunks on and writes each to every branch as well: a write stream, or a transform that leads to one.
 *
 * All get the same chunks, not copies, so nobody may change their data. The slowest decides: the next chunk is taken when
 * every branch has room for it, so that each holds no more than its own `highWaterMark`; a branch that nobody reads stops
 * all. The stream ends when every branch has finished, so that a `pipeline` through it waits for their files.
 *
 * A branch that fails destroys the stream with its error, and the other branches with it: none commits a part of the rows.
 * A branch that is closed or ended without an error, or with Node's `ABORT_ERR`, because its consumer has seen enough,
 * drops out and the others go on. When the stream itself is destroyed, the branches are.
 *
 * @param branches - Writables in object mode; the stream ends and destroys them.
 * @throws TypeError without a branch, and for what is no writable stream in object mode.
 * @example
 * const copy = createNpyWriteStream("copy.npy");
 * await pipeline(handle.stream(), tee(copy), cast("float32"), createNpyWriteStream("x32.npy"));
 */
export function tee(...branches: readonly Writable[]): Transform {
  if (branches.length === 0) throw new TypeError("tee takes the streams to write to, one at least");
  for (const branch of branches) {
    if (branch?.writableObjectMode !== true) throw new TypeError("a branch of tee is a writable stream in object mode");
  }
  return new TeeTransform(branches);
}

class TeeTransform extends Transform {
  /** Branches that have neither finished nor dropped out. */
  readonly #branches: Set<Writable>;
  #isEnding = false;
  /** Goes on once the branches allow it. */
  #resume: (() => void) | undefined;

  constructor(branches: readonly Writable[]) {
    super(ONE_CHUNK);
    this.#branches = new Set(branches);
    for (const branch of this.#branches) this.#listen(branch);
  }

  override _transform(chunk: RowChunk, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.push(chunk);
    for (const branch of this.#branches) {
      if (branch.destroyed || branch.writableEnded) this.#branches.delete(branch);
      else branch.write(chunk);
    }
    this.#resume = callback;
    this.#advance();
  }

  override _flush(callback: TransformCallback): void {
    this.#isEnding = true;
    this.#resume = callback;
    for (const branch of this.#branches) {
      if (branch.destroyed) this.#branches.delete(branch);
      else if (!branch.writableEnded) branch.end();
    }
    this.#advance();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#resume = undefined;
    for (const branch of this.#branches) branch.destroy(error ?? undefined);
    callback(error);
  }

  #listen(branch: Writable): void {
    const onError = (error: Error): void => {
      // Leaving a `for await` over a transform destroys it with this, which is not a failure.
      if ("code" in error && error.code === "ABORT_ERR") return;
      this.destroy(error);
    };
    const onDrain = (): void => this.#advance();
    const onDone = (): void => {
      this.#branches.delete(branch);
      this.#advance();
    };
    const onClose = (): void => {
      // Not earlier: a branch that is destroyed tells its error later, also one that it was given here.
      branch.off("error", onError).off("drain", onDrain).off("finish", onDone).off("close", onClose);
      onDone();
    };
    branch.on("error", onError).on("drain", onDrain).on("finish", onDone).on("close", onClose);
  }

  #advance(): void {
    const isWaiting = this.#isEnding
      ? this.#branches.size > 0
      : [...this.#branches].some((branch) => branch.writableNeedDrain);
    if (isWaiting) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
