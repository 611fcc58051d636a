import type { Writable } from "node:stream";
import { type ByteSink, checkOptionKeys, type NpyError } from "@npystream/codec";
import { writeError } from "./write-error.ts";

/** Options of {@link streamSink}. */
export interface StreamSinkOptions {
  /**
   * Whether the commit ends the stream and an abort destroys it. Without that, several arrays may follow each other,
   * and the caller learns of an abort only from the writer's rejection.
   *
   * @defaultValue true, false for `process.stdout` and `process.stderr`
   */
  readonly end?: boolean;
}

/**
 * Writes to a Node stream: stdout, a socket, a request, a compressor. It cannot seek, so the number of rows must be
 * declared or each chunk be an array of its own.
 *
 * One write is under way at a time, and the next one waits until the stream has passed it on. Bytes are copied, since a
 * stream may keep them longer (a `PassThrough` does) than the caller leaves them alone.
 *
 * @throws NpyError `ERR_WRITE_NO_SPACE`, `ERR_WRITE_IO` from its methods, where the stream fails or closes.
 */
export function streamSink(writable: Writable, options: StreamSinkOptions = {}): ByteSink {
  checkOptionKeys("streamSink", options, ["end"]);
  return new StreamSink(writable, options.end ?? !(writable === process.stdout || writable === process.stderr));
}

class StreamSink implements ByteSink {
  readonly seekable = false;
  readonly #writable: Writable;
  readonly #end: boolean;
  #failure: NpyError | undefined;
  #done = false;
  /** Rejects what waits for the stream, which need not call back once it has failed. */
  #reject: ((error: NpyError) => void) | undefined;

  constructor(writable: Writable, end: boolean) {
    this.#writable = writable;
    this.#end = end;
    writable.on("error", this.#onError).on("close", this.#onClose);
    if (writable.destroyed) this.#onClose();
  }

  write(bytes: Uint8Array, position?: number): Promise<void> {
    if (position !== undefined) throw new TypeError("a stream takes bytes at its end only");
    return this.#call((callback) => this.#writable.write(Buffer.from(bytes), callback));
  }

  async commit(): Promise<void> {
    if (this.#end) await this.#call((callback) => this.#writable.end(callback));
    else if (this.#failure !== undefined) throw this.#failure;
    this.#leave();
  }

  async abort(): Promise<void> {
    if (this.#done) return;
    this.#fail(new Error("the array was aborted"));
    if (this.#end && !this.#writable.destroyed) this.#writable.destroy();
    this.#leave();
  }

  #call(start: (callback: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#reject = reject;
      start((error) => {
        this.#reject = undefined;
        // The stream's own error, where there is one, says more than that it was destroyed.
        if (error) this.#fail(error);
        if (this.#failure !== undefined) reject(this.#failure);
        else resolve();
      });
    });
  }

  readonly #onError = (error: unknown): void => this.#fail(error);

  readonly #onClose = (): void => {
    if (!this.#done) this.#fail(new Error("the stream closed before the array was whole"));
  };

  #fail(cause: unknown): void {
    this.#failure ??= writeError(cause);
    this.#reject?.(this.#failure);
  }

  /** A stream that goes on is left as it was found; one that is ended or destroyed may still fail, unheard. */
  #leave(): void {
    this.#done = true;
    this.#writable.off("close", this.#onClose);
    if (!this.#end) this.#writable.off("error", this.#onError);
  }
}
