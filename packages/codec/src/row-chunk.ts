import type { DType } from "./dtype.ts";
import { NdArray, type NdArrayInit } from "./nd-array.ts";

/** What a {@link RowChunk} is made of. */
export interface RowChunkInit<D extends DType> extends NdArrayInit<D> {
  /** Index of the first row in the array the chunk is from. */
  readonly rowStart: number;
}

/** Consecutive rows of a larger array: what a row stream emits and a write stream takes. */
export class RowChunk<D extends DType = DType> extends NdArray<D> {
  /** Index of the first row in the array the chunk is from. */
  readonly rowStart: number;

  constructor(init: RowChunkInit<D>) {
    super(init);
    this.rowStart = init.rowStart;
  }
}
