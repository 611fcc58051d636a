import { Transform, type TransformCallback } from "node:stream";
import type { NdArray, RowChunk } from "@npystream/codec";
import { inChunk, placed } from "./chunk-rows.ts";
import { ONE_CHUNK } from "./chunk-transform.ts";
import { destroyOnAbort } from "./destroy-on-abort.ts";

/**
 * Makes a transform of a function that gives as many rows as it takes; each chunk keeps its place.
 *
 * @param map - Gives the chunk itself, or an array in C order.
 */
export function mapChunks(map: (chunk: RowChunk) => NdArray, signal: AbortSignal | undefined): Transform {
  return new MapTransform(map, signal);
}

class MapTransform extends Transform {
  readonly #map: (chunk: RowChunk) => NdArray;
  /** Already called where the stream is made with an aborted signal. */
  #unlisten: () => void = () => undefined;

  constructor(map: (chunk: RowChunk) => NdArray, signal: AbortSignal | undefined) {
    super(ONE_CHUNK);
    this.#map = map;
    this.#unlisten = destroyOnAbort(this, signal);
  }

  override _transform(chunk: RowChunk, _encoding: BufferEncoding, callback: TransformCallback): void {
    let mapped: RowChunk;
    try {
      mapped = placed(this.#map(chunk), chunk.rowStart);
    } catch (error) {
      callback(inChunk(error, chunk, chunk.rowStart));
      return;
    }
    callback(null, mapped);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#unlisten();
    callback(error);
  }
}
