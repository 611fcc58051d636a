import { dtypeInfo, NdArray, NpyError, resolveRange, type SliceRange } from "@npystream/codec";

/**
 * Rows to select: their indices in any order, repeats allowed; a mask of as many booleans as there are rows; NumPy's range
 * `{ start, stop, step }`; or an array of one axis with integers (indices) or booleans (a mask).
 */
export type RowChoice = ArrayLike<number | bigint> | ArrayLike<boolean> | SliceRange | NdArray;

/** Indices of rows: 4 bytes each where they fit. */
export type RowIndices = Uint32Array | Float64Array;

/** Which rows of something are taken, and in which order. */
export class RowSelection {
  /** Number of rows taken. */
  readonly length: number;
  /** The first row where they follow each other. */
  readonly #start: number;
  /** The rows where they do not. */
  readonly #rows: RowIndices | undefined;

  private constructor(length: number, start: number, rows: RowIndices | undefined) {
    this.length = length;
    this.#start = start;
    this.#rows = rows;
  }

  /** Takes rows one by one. @param rows - Kept, not copied. */
  static of(rows: RowIndices): RowSelection {
    const start = rows[0] ?? 0;
    for (let at = 1; at < rows.length; at++) {
      if (rows[at] !== start + at) return new RowSelection(rows.length, 0, rows);
    }
    return new RowSelection(rows.length, start, undefined);
  }

  /** Takes rows that follow each other: nothing is kept of them. */
  static range(start: number, length: number): RowSelection {
    return new RowSelection(length, start, undefined);
  }

  /** The first row where the rows follow each other, else `undefined`. */
  get start(): number | undefined {
    return this.#rows === undefined ? this.#start : undefined;
  }

  /** The rows as what a fingerprint is made of. */
  get state(): string | Uint8Array {
    const rows = this.#rows;
    if (rows === undefined) return `${this.#start}+${this.length}`;
    return new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
  }

  /** Gives the row at a place of the selection. */
  row(place: number): number {
    return this.#rows === undefined ? this.#start + place : (this.#rows[place] as number);
  }

  /** Gives the rows at `count` places from `place` on. */
  slice(place: number, count: number): ArrayLike<number> {
    const stop = Math.min(place + count, this.length);
    if (this.#rows !== undefined) return this.#rows.subarray(place, stop);
    return Float64Array.from({ length: Math.max(0, stop - place) }, (_, i) => this.#start + place + i);
  }

  /** Selects from what is selected. */
  select(inner: RowSelection): RowSelection {
    if (inner.start !== undefined && this.#rows === undefined) {
      return new RowSelection(inner.length, this.#start + inner.start, undefined);
    }
    const isWide = this.#rows instanceof Float64Array || this.#start + this.length > 2 ** 32;
    const rows = isWide ? new Float64Array(inner.length) : new Uint32Array(inner.length);
    for (let place = 0; place < inner.length; place++) rows[place] = this.row(inner.row(place));
    return RowSelection.of(rows);
  }
}

/** Allocates room for indices of rows below `length`. */
export function rowIndices(length: number, count: number): RowIndices {
  return length > 2 ** 32 ? new Float64Array(count) : new Uint32Array(count);
}

/**
 * Works out which of `length` rows are meant.
 *
 * @throws NpyError `ERR_ROWS_RANGE` for an index outside; RangeError for a mask of another length, TypeError for what is no
 *   choice of rows.
 */
export function chooseRows(length: number, choice: RowChoice): RowSelection {
  if (choice instanceof NdArray) return chooseByArray(length, choice);
  if (typeof choice !== "object" || choice === null) throw notRows(typeof choice);
  if (!("length" in choice)) {
    const odd = Object.keys(choice).find((key) => !["start", "stop", "step"].includes(key));
    if (odd !== undefined) throw notRows(`an object with ${odd}`);
    const { start, step, length: count } = resolveRange(choice, length);
    if (step === 1 || count === 0) return RowSelection.range(count === 0 ? 0 : start, count);
    const rows = rowIndices(length, count);
    for (let at = 0; at < count; at++) rows[at] = start + at * step;
    return RowSelection.of(rows);
  }
  return typeof choice[0] === "boolean" ? chooseByMask(length, choice) : chooseByIndex(length, choice);
}

function chooseByArray(length: number, array: NdArray): RowSelection {
  const { kind } = dtypeInfo(array.dtype);
  if (array.rank !== 1 || !"biu".includes(kind)) throw notRows(`${array.dtype} of ${array.rank} axes`);
  const { data, offset, size } = array.contiguous();
  // Booleans and integers have a number or a bigint an element.
  const values = (data as Uint8Array).subarray(offset, offset + size);
  return kind === "b" ? chooseByMask(length, Array.from(values, Boolean)) : chooseByIndex(length, values);
}

function chooseByMask(length: number, mask: ArrayLike<unknown>): RowSelection {
  if (mask.length !== length) throw new RangeError(`a mask of ${mask.length} entries does not fit ${length} rows`);
  let count = 0;
  for (let row = 0; row < length; row++) {
    if (typeof mask[row] !== "boolean") throw notRows(`a mask with ${typeof mask[row]} at ${row}`);
    if (mask[row]) count++;
  }
  const rows = rowIndices(length, count);
  for (let row = 0, at = 0; row < length; row++) if (mask[row]) rows[at++] = row;
  return RowSelection.of(rows);
}

function chooseByIndex(length: number, indices: ArrayLike<unknown>): RowSelection {
  const rows = rowIndices(length, indices.length);
  for (let at = 0; at < rows.length; at++) {
    const index = indices[at];
    if (typeof index !== "number" && typeof index !== "bigint") throw notRows(`${typeof index} at ${at}`);
    const row = Number(index);
    if (!Number.isInteger(row) || row < 0 || row >= length) {
      throw new NpyError("ERR_ROWS_RANGE", `row ${index} is not one of a dataset with ${length} rows`);
    }
    rows[at] = row;
  }
  return RowSelection.of(rows);
}

function notRows(found: string): TypeError {
  return new TypeError(`rows are indices, a mask of booleans or a range { start, stop, step }, not ${found}`);
}
