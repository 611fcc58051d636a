import { type ElementType, isNpyError, type NdArray, NpyError } from "@npystream/codec";
import type { RowSource } from "./array-rows.ts";
import { UsageError } from "./usage-error.ts";

/** Rows cast to another type, with the meaning of `NdArray.astype`. */
export class CastRows implements RowSource {
  readonly type: ElementType;
  readonly #rows: RowSource;

  constructor(rows: RowSource, type: ElementType) {
    this.#rows = rows;
    this.type = type;
  }

  get shape(): readonly number[] {
    return this.#rows.shape;
  }

  get rank(): number {
    return this.#rows.rank;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** @throws NpyError `ERR_CAST_RANGE`, UsageError where there is no such cast; those of reading. */
  async read(): Promise<NdArray> {
    return this.#cast(await this.#rows.read(), 0);
  }

  /** @throws what {@link read} throws. */
  async *chunks(): AsyncGenerator<NdArray> {
    let row = 0;
    for await (const chunk of this.#rows.chunks()) {
      yield this.#cast(chunk, row);
      row += chunk.length;
    }
  }

  #cast(array: NdArray, row: number): NdArray {
    try {
      return array.astype(this.type);
    } catch (error) {
      if (error instanceof TypeError) throw new UsageError(`--dtype ${this.type.dtype}: ${error.message}`);
      if (!isNpyError(error) || row === 0) throw error;
      throw new NpyError(error.code, `behind row ${row}: ${error.message}`, { cause: error });
    }
  }
}
