import { Writable } from "node:stream";
import { isNpyError, type NpyErrorLocation } from "@npystream/codec";

/** What does the work of a {@link PushStream}. */
export interface ChunkWriter<R> {
  /** Where an error is said to have happened. */
  readonly location: NpyErrorLocation;
  /**
   * Takes a chunk without waiting, and nothing else where there is room. What is still to be written comes back, and is
   * to be written before any other chunk.
   */
  take(chunk: unknown): PendingChunk | undefined;
  /** Writes what is held. */
  finish(): Promise<R>;
  /** Makes what was written visible. */
  commit(): Promise<void>;
  /** Drops what was written, because of `reason`. */
  abort(reason: unknown): Promise<void>;
}

/** Opens what does the work; `onFailure` is told when what was taken could not be written and nobody waits for it. */
export type OpenChunkWriter<R> = (onFailure: (error: unknown) => void) => Promise<ChunkWriter<R>>;

/** A chunk on its way. */
export abstract class PendingChunk {
  /** Writes the rest; nothing of it is kept when the promise resolves. @throws the sink's error. */
  abstract write(): Promise<void>;
}

/** Chunks that wait in the stream itself while the sink is busy, held by reference. */
const WAITING_CHUNKS = 2;
const READY: Promise<void> = Promise.resolve();

/** A `Writable` of chunks that is also written to by promises: `push`, and `finish` for what came of it. */
export class PushStream<Chunk, Result> extends Writable {
  readonly #open: OpenChunkWriter<Result>;
  readonly #signal: AbortSignal | undefined;
  #writer: ChunkWriter<Result> | undefined;
  #committing: Promise<void> | undefined;
  #result: Result | undefined;
  #failure: { readonly error: unknown } | undefined;
  #finished: Promise<Result> | undefined;
  #resolveFinished: ((result: Result) => void) | undefined;
  /** Rejects the promises that wait. */
  readonly #waiting: Set<(reason: unknown) => void> = new Set();
  #isDropped = false;
  /** Whether errors are looked for in promises, and whether the stream is used as a `Writable`. */
  #hasPromises = false;
  #hasWrites = false;
  /** What the stream failed with before anybody used it. */
  #unheard: { readonly error: unknown } | undefined;

  /** @internal */
  constructor(open: OpenChunkWriter<Result>, signal: AbortSignal | undefined) {
    super({ objectMode: true, highWaterMark: WAITING_CHUNKS });
    this.#open = open;
    this.#signal = signal;
    this.on("error", this.#onError);
    this.on("pipe", this.#onWritable);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /**
   * Takes a chunk; the promise resolves when it may be changed and it is fine to push more. It is cheap where rows only
   * have to be gathered.
   *
   * @throws whatever the stream failed with: NpyError, see the function that made it, or `signal.reason`; TypeError
   *   after `finish` or `end`.
   */
  push(chunk: Chunk): Promise<void> {
    this.#hasPromises = true;
    // With nothing waiting in the stream its machinery is passed by, which costs more than copying a row.
    if (this.#writer === undefined || this.writableLength > 0 || !this.writable) return this.#pushQueued(chunk);
    try {
      const pending = this.#writer.take(chunk);
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
  finish(): Promise<Result> {
    this.#hasPromises = true;
    this.#finished ??= new Promise((resolve, reject) => {
      if (this.#result !== undefined) resolve(this.#result);
      else this.#onDropped(reject);
      this.#resolveFinished = resolve;
    });
    if (this.writable) super.end();
    return this.#finished;
  }

  /** Takes a chunk as every `Writable` does; errors go to the callback and the `error` event. */
  override write(
    chunk: unknown,
    encoding?: BufferEncoding | ((error: Error | null | undefined) => void),
    callback?: (error: Error | null | undefined) => void,
  ): boolean {
    this.#onWritable();
    // Which of the two the second argument is, the stream finds out itself; its types have each only.
    return super.write(chunk, encoding as BufferEncoding, callback);
  }

  /** Ends the stream as every `Writable`, which commits. */
  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    this.#onWritable();
    return super.end(chunk, encoding as BufferEncoding, callback);
  }

  /** Drops what was written unless `finish` was called, so that `await using` leaves no half file behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hasPromises = true;
    // `return out.finish()` comes here before it has finished.
    await this.#finished?.catch(() => undefined);
    if (this.#result === undefined) this.destroy();
    if (!this.closed) await new Promise<void>((resolve) => this.once("close", resolve));
  }

  /** @internal */
  override _construct(callback: (error?: Error | null) => void): void {
    if (this.#failure !== undefined) {
      callback();
      return;
    }
    this.#open((error) => this.#fail(error)).then((writer) => {
      this.#writer = writer;
      callback();
    }, callback);
  }

  /** @internal */
  override _write(chunk: unknown, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    let pending: PendingChunk | undefined;
    try {
      pending = chunk instanceof PendingChunk ? chunk : this.#writer?.take(chunk);
    } catch (error) {
      callback(this.#located(error));
      return;
    }
    if (pending === undefined) callback();
    else
      pending.write().then(
        () => callback(),
        (error: unknown) => callback(this.#located(error)),
      );
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
    this.#signal?.removeEventListener("abort", this.#onAbort);
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
    // Destroyed meanwhile: what was written is being dropped.
    if (result === undefined || this.#writer === undefined || this.#failure !== undefined) return;
    this.#committing = this.#writer.commit();
    await this.#committing;
    this.#result = result;
    this.#resolveFinished?.(result);
  }

  async #drop(): Promise<void> {
    try {
      await this.#writer?.abort(this.#failure?.error);
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
      super.write(chunk ?? undefined, (error) => {
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
    if (isNpyError(error) && this.#writer !== undefined) error.locate(this.#writer.location);
    // Everything that throws here throws errors; what a sink rejects with is handed on whatever it is.
    return error as Error;
  }

  readonly #onAbort = (): void => {
    this.#fail(this.#signal?.reason);
  };

  /** Tells of a failure that came before the stream was used so: nothing that is written now will tell of it. */
  readonly #onWritable = (): void => {
    this.#hasWrites = true;
    const unheard = this.#unheard;
    this.#unheard = undefined;
    if (unheard !== undefined) process.nextTick(() => this.emit("error", unheard.error));
  };

  /**
   * Whoever uses push and finish has the error from there and need not listen; who only writes, or pipes, which does not
   * throw where anybody listens, would never know.
   */
  readonly #onError = (error: unknown): void => {
    if (this.#hasPromises || this.listenerCount("error") > 1) return;
    if (this.#hasWrites) throw error;
    this.#unheard = { error };
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
