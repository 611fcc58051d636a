import { Transform, type TransformOptions } from "node:stream";
import type { RowChunk } from "@npystream/codec";
import { destroyOnAbort } from "./destroy-on-abort.ts";

/** Options of every transform over row chunks. */
export interface ChunkTransformOptions {
  /** Destroys the stream with `signal.reason`. @defaultValue none: `pipeline` has a signal too */
  readonly signal?: AbortSignal;
}

/** One chunk being worked on and one that is ready. */
export const ONE_CHUNK: TransformOptions = { objectMode: true, highWaterMark: 1 };

/**
 * A transform whose chunks are made when the reader wants them, however many come of one input.
 *
 * Transform's own way is to push all that an input makes at once, past the high-water mark; here making waits instead.
 */
export abstract class ChunkTransform extends Transform {
  /** Already called where the stream is made with an aborted signal. */
  #unlisten: () => void = () => undefined;
  #isWanted = true;
  #isGiving = false;

  constructor(options: TransformOptions, signal: AbortSignal | undefined) {
    super(options);
    this.#unlisten = destroyOnAbort(this, signal);
  }

  override _read(): void {
    this.#isWanted = true;
    this.give();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlisten();
    callback(error);
  }

  /** Gives the next chunk that is ready, or `undefined` where there is none now. What it throws destroys the stream. */
  protected abstract nextReady(): RowChunk | undefined;

  /** Called when what was ready has been given, or nothing more is wanted. */
  protected abstract onGiven(): void;

  /** Pushes what is ready while it is wanted. To be called when something may be ready. */
  protected give(): void {
    // A push can lead to a read at once, which leads here again: the loop below goes on then.
    if (this.#isGiving) return;
    this.#isGiving = true;
    try {
      while (this.#isWanted && !this.destroyed) {
        const chunk = this.nextReady();
        if (chunk === undefined) break;
        this.#isWanted = false;
        if (this.push(chunk)) this.#isWanted = true;
      }
    } catch (error) {
      // Whatever was thrown: a destroy without an error would look like an end that was asked for.
      this.destroy(error instanceof Error ? error : new Error("the transform failed", { cause: error }));
    } finally {
      this.#isGiving = false;
    }
    if (!this.destroyed) this.onGiven();
  }
}
