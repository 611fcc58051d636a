import { Writable } from "node:stream";
import { type ByteSink, isNpyError } from "@npystream/codec";
import type { ArrayInput } from "./array-input.ts";
import { NpyRowWriter, PendingRows } from "./npy-row-writer.ts";
import {
  type NpyWriteOptions,
  type NpyWriteResult,
  type ResolvedWriteOptions,
  resolveWriteOptions,
} from "./npy-write-options.ts";
import { RowEncoder } from "./row-encoder.ts";
import { openSink, sinkPath, type WriteTarget } from "./write-target.ts";

/** Chunks that wait in the stream itself while the sink is busy, held by reference. */
const WAITING_CHUNKS = 2;
const READY: Promise<void> = Promise.resolve();

/**
 * Creates a stream that writes chunks of rows as one `.npy`, or as one after another with `framing: 'sequence'`.
 *
 * A chunk is an `NdArray` or `RowChunk` of rows, or of one row; a typed array of whole rows; nested lists of values;
 * or a `Uint8Array` with the bytes of whole rows in the machine's byte order (of uint8 and bool, whose entries are
 * bytes, both are the same). Nothing is cast. Rows of any layout are written in C order.
 *
 * A path is written atomically, see `fileSink`. Up to `highWaterMark` bytes are gathered, and 2 chunks beside those
 * wait in the stream, whose own `writableHighWaterMark` counts chunks. A chunk may be changed again once `write` has
 * called back or `push` has resolved.
 *
 * Errors come out of `push` and `finish`, of callbacks and of the `error` event: `ERR_WRITE_SHAPE` and
 * `ERR_WRITE_DTYPE` for rows that do not fit, `ERR_WRITE_EXISTS` for a target that exists, `ERR_WRITE_NO_SPACE` and
 * `ERR_WRITE_IO` from the sink. Nothing is committed then. An `error` listener is not needed by who uses `push` and
 * `finish`.
 *
 * @throws TypeError for an unknown option, or a sink that cannot seek without `rows` and `framing: 'sequence'`;
 *   RangeError for a number that is no count; NpyError `ERR_NPY_DTYPE` for a dtype there is not.
 * @example
 * const out = createNpyWriteStream("features.npy", { dtype: "float32", rowShape: [128] });
 * for await (const rows of source) await out.push(rows);
 * const { shape } = await out.finish();
 */
export function createNpyWriteStream(target: WriteTarget, options: NpyWriteOptions = {}): NpyWriteStream {
  const resolved = resolveWriteOptions(target, options);
  return new NpyWriteStream(target, resolved, new RowEncoder(resolved.dtype, resolved.rowShape));
}

/** A stream of rows into a `.npy`; `createNpyWriteStream` makes it. */
export class NpyWriteStream extends Writable {
  readonly #target: WriteTarget;
  readonly #options: ResolvedWriteOptions;
  readonly #encoder: RowEncoder;
  #sink: ByteSink | undefined;
  #writer: NpyRowWriter | undefined;
  #committing: Promise<void> | undefined;
  #result: NpyWriteResult | undefined;
  #failure: { readonly error: unknown } | undefined;
  #finished: Promise<NpyWriteResult> | undefined;
  #resolveFinished: ((result: NpyWriteResult) => void) | undefined;
  /** Rejects the promises that wait. */
  readonly #waiting: Set<(reason: unknown) => void> = new Set();
  #isDropped = false;
  /** Whether errors are looked for in promises, and whether chunks came by `write`. */
  #hasPromises = false;
  #hasWrites = false;

  /** @internal */
  constructor(target: WriteTarget, options: ResolvedWriteOptions, encoder: RowEncoder) {
    super({ objectMode: true, highWaterMark: WAITING_CHUNKS });
    this.#target = target;
    this.#options = options;
    this.#encoder = encoder;
    this.on("error", this.#onError);
    const { signal } = options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /**
   * Takes rows; the promise resolves when they may be changed and it is fine to push more. It is cheap where rows only
   * have to be gathered.
   *
   * @throws whatever the stream failed with: NpyError, see {@link createNpyWriteStream}, or `signal.reason`; TypeError
   *   after `finish` or `end`.
   */
  push(rows: ArrayInput): Promise<void> {
    this.#hasPromises = true;
    // With nothing waiting in the stream its machinery is passed by, which costs more than copying a row.
    if (this.#writer === undefined || this.writableLength > 0 || !this.writable) return this.#pushQueued(rows);
    try {
      const pending = this.#writer.take(rows);
      return pending === undefined ? READY : this.#pushQueued(pending);
    } catch (error) {
      this.#fail(error);
      return this.#rejection();
    }
  }

  /**
   * Writes what is left and commits: the file has its name now.
   *
   * @throws what `push` throws; NpyError `ERR_WRITE_SHAPE` where not the declared number of rows came.
   */
  finish(): Promise<NpyWriteResult> {
    this.#hasPromises = true;
    this.#finished ??= new Promise((resolve, reject) => {
      if (this.#result !== undefined) resolve(this.#result);
      else this.#onDropped(reject);
      this.#resolveFinished = resolve;
    });
    if (this.writable) this.end();
    return this.#finished;
  }

  /** Drops what was written unless it is finished, so that `await using` leaves no half file behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasPromises = true;
    if (this.#result === undefined) this.destroy();
    if (!this.closed) await new Promise<void>((resolve) => this.once("close", resolve));
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    if (this.#failure !== undefined) {
      callback();
      return;
    }
    openSink(this.#target, this.#options.overwrite).then((sink) => {
      this.#sink = sink;
      this.#writer = new NpyRowWriter(sink, this.#encoder, this.#options, (error) => this.#fail(error));
      callback();
    }, callback);
  }

  /** @internal */
  override _write(chunk: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#hasWrites = true;
    let pending: PendingRows | undefined;
    try {
      pending = chunk instanceof PendingRows ? chunk : this.#writer?.take(chunk);
    } catch (error) {
      callback(this.#located(error));
      return;
    }
    if (pending === undefined) callback();
    else pending.write().then(() => callback(), callback);
  }

  /** @internal */
  override _final(callback: (error?: Error | null) => void): void {
    this.#complete().then(
      () => callback(),
      (error: unknown) => callback(this.#located(error)),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    if (this.#result !== undefined) {
      callback(error);
      return;
    }
    this.#failure ??= { error: error ?? abortError() };
    this.#drop().then(
      () => callback(error),
      (dropError: Error) => callback(error ?? dropError),
    );
  }

  async #complete(): Promise<void> {
    const result = await this.#writer?.finish();
    // Destroyed meanwhile: the sink is being aborted.
    if (result === undefined || this.#sink === undefined || this.#failure !== undefined) return;
    this.#committing = this.#sink.commit();
    await this.#committing;
    this.#result = { ...sinkPath(this.#sink), ...result };
    this.#resolveFinished?.(this.#result);
  }

  async #drop(): Promise<void> {
    try {
      await this.#sink?.abort();
      // Too late where the commit has given the name already; then the result stands.
      await this.#committing?.catch(() => undefined);
    } finally {
      this.#isDropped = true;
      for (const reject of this.#waiting) reject(this.#failure?.error);
      this.#waiting.clear();
    }
  }

  #pushQueued(chunk: unknown): Promise<void> {
    if (this.#failure !== undefined) return this.#rejection();
    if (this.writableEnded) return Promise.reject(new TypeError("the stream has ended and takes no more rows"));
    return heard<void>((resolve, reject) => {
      this.#onDropped(reject);
      // Node refuses null before it gets to _write; undefined is refused there, as a chunk of no type.
      this.write(chunk ?? undefined, (error) => {
        // A write that fails destroys the stream, which rejects what waits.
        if (error || this.#failure !== undefined) return;
        this.#waiting.delete(reject);
        resolve();
      });
    });
  }

  #rejection(): Promise<never> {
    return heard<never>((_, reject) => this.#onDropped(reject));
  }

  /** Rejects once the sink is aborted, so that whoever sees the error finds nothing left behind. */
  #onDropped(reject: (reason: unknown) => void): void {
    if (this.#isDropped) reject(this.#failure?.error);
    else this.#waiting.add(reject);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error: this.#located(error) };
    // Node hands on what it is given, and a signal's reason need not be an Error.
    this.destroy(this.#failure.error as Error);
  }

  #located(error: unknown): Error {
    if (isNpyError(error) && this.#sink !== undefined) error.locate(sinkPath(this.#sink));
    // Everything that throws here throws errors; what a sink rejects with is handed on whatever it is.
    return error as Error;
  }

  readonly #onAbort = (): void => {
    this.#fail(this.#options.signal?.reason);
  };

  /** Whoever uses push and finish has the error from there and need not listen; who only writes would never know. */
  readonly #onError = (error: unknown): void => {
    if (this.#hasWrites && !this.#hasPromises && this.listenerCount("error") === 1) throw error;
  };
}

/** For who destroys the stream without saying why. */
function abortError(): Error {
  const error = new Error("the stream was destroyed before it was finished");
  error.name = "AbortError";
  return error;
}

/** Makes a promise of `push`: `finish` tells of the failure again, so that one nobody waits for is not unhandled. */
function heard<T>(
  executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (reason: unknown) => void) => void,
): Promise<T> {
  const promise = new Promise<T>(executor);
  promise.catch(() => undefined);
  return promise;
}
