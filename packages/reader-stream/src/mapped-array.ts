import {
  type AxisIndex,
  createData,
  type DType,
  type DTypeMap,
  NdArray,
  type NpyHeader,
  type ScalarMap,
  stridesOf,
  viewData,
} from "@npystream/codec";
import type { FileMapping } from "./file-mapping.ts";
import { checkAdvice, type MapAdvice, type MapMode } from "./mapped-memory.ts";

/** From here on a view of all data makes the collector run soon, so that a small part gets a view of its own. */
const LARGE_BYTES = 16 << 20;
/** What a small part is. */
const PART_BYTES = 1 << 20;
/** Parts that get a view of their own, at 12 us each, before one of everything is cheaper: slices of it cost 1 us. */
const MAX_PARTS = 16;
/** Buffers begin at multiples of this, which every element type is aligned to. */
const VIEW_ALIGNMENT = 64;

/** What {@link MappedArray} is made of. @internal */
export interface MappedArrayInit<D extends DType> {
  readonly header: NpyHeader<D>;
  /** None for an array without bytes, which no system maps. */
  readonly mapping: FileMapping | undefined;
  /** Where the data begins in the mapping. */
  readonly position: number;
  readonly path: string;
  readonly mode: MapMode;
  /** Ends what belongs to the array alone. */
  readonly close: () => void;
}

/**
 * An array whose elements are the pages of a file: nothing is read before it is looked at, and other processes that have
 * the file share its memory. Made by `mapNpy`, `createMappedNpy` and `MappedArchive.get`.
 *
 * Views of it (`slice`, `at`, `field`) are ordinary arrays over the same pages. The file stays mapped until the array was
 * closed or collected, and every view of it collected: a view that is kept is always safe to read.
 */
export class MappedArray<D extends DType = DType> extends NdArray<D> implements Disposable {
  /** The parsed header of the file. */
  readonly header: NpyHeader<D>;
  /** Path of the file. */
  readonly path: string;
  /** `c`: changes stay in this process. `r+`: changes are the file's. */
  readonly mode: MapMode;
  /** One for all, so that arrays of this class have one hidden class. */
  static readonly #dataWhenNeeded = {
    enumerable: true,
    get(this: MappedArray): unknown {
      return this.#wholeData();
    },
  };
  readonly #init: MappedArrayInit<D>;
  /** The same array without data, which tells where parts lie. */
  readonly #plan: NdArray<D>;
  #data: DTypeMap[D] | undefined;
  #parts = 0;
  #isClosed = false;

  /** @internal */
  constructor(init: MappedArrayInit<D>) {
    const { type, shape, order, size } = init.header;
    // A stand-in of the length that the data will have: NdArray asks it for nothing else, and `data` is made when needed.
    const data = { length: size * type.stride } as DTypeMap[D];
    const layout = { dtype: type, shape, strides: stridesOf(shape, order), data };
    super(layout);
    this.header = init.header;
    this.path = init.path;
    this.mode = init.mode;
    this.#init = init;
    this.#plan = new NdArray(layout);
    Object.defineProperty(this, "data", MappedArray.#dataWhenNeeded);
  }

  /**
   * Reads one element; negative indices count from the end.
   *
   * @throws RangeError for an index outside its axis or the wrong number of indices. TypeError once the array is closed.
   */
  override get(...index: readonly number[]): ScalarMap[D] {
    // A part of one element where nothing else was looked at yet.
    if (this.#data === undefined && index.length === this.rank && this.rank > 0) return this.slice(...index).get();
    return super.get(...index);
  }

  /**
   * Selects with NumPy's basic indexing, one argument an axis; axes without one stay whole. The result is a view of the
   * same pages; the first small ones have an `ArrayBuffer` of their own.
   *
   * @throws RangeError for an index outside its axis, a step of 0 or more arguments than axes. TypeError once the array
   *   is closed.
   */
  override slice(...ranges: readonly AxisIndex[]): NdArray<D> {
    this.#checkOpen();
    const isWhole = this.#data !== undefined || this.byteLength < LARGE_BYTES || this.#parts >= MAX_PARTS;
    if (isWhole) return super.slice(...ranges);
    const { shape, strides, offset, size } = this.#plan.slice(...ranges);
    const [first, last] = reach(shape, strides, offset);
    const byteLength = (last - first + 1) * this.itemSize;
    if (size === 0 || byteLength > PART_BYTES) return super.slice(...ranges);
    this.#parts += 1;
    const data = this.#view(first * this.itemSize, byteLength);
    return new NdArray({ dtype: this.type, shape, strides, offset: offset - first, data });
  }

  /**
   * Writes changes of an `r+` array to the disk and waits for it. Other processes that map or read the file see changes
   * without it.
   *
   * @throws TypeError for a `c` array, whose changes go nowhere, and once the array is closed. System errors such as `EIO`.
   */
  flush(): void {
    this.#checkOpen();
    if (this.mode === "c") throw new TypeError("an array mapped with mode 'c' has nothing to flush: map it with 'r+'");
    this.#init.mapping?.flush();
  }

  /**
   * Tells the system how the elements will be read; Windows does not listen.
   *
   * @param advice - `willneed` reads ahead now, `sequential` reads ahead more, `random` not at all.
   * @throws TypeError once the array is closed.
   */
  advise(advice: MapAdvice): void {
    this.#checkOpen();
    checkAdvice(advice);
    this.#init.mapping?.advise(this.#init.position, this.byteLength, advice);
  }

  /**
   * Gives up the array, which cannot be read any more. Views of it can, and the file stays mapped until the last of them
   * was collected. Closing twice is harmless.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#data = undefined;
    this.#init.close();
  }

  /** Closes the array, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #wholeData(): DTypeMap[D] {
    this.#checkOpen();
    this.#data ??= this.#view(0, this.byteLength);
    return this.#data;
  }

  /** Shows bytes of the data as elements. */
  #view(start: number, byteLength: number): DTypeMap[D] {
    const { mapping, position } = this.#init;
    if (mapping === undefined) return createData(this.type, 0);
    const from = position + start;
    const before = from % VIEW_ALIGNMENT;
    const buffer = mapping.view(from - before, before + byteLength);
    return viewData(this.type, new Uint8Array(buffer, before, byteLength));
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TypeError("the array has been closed");
  }
}

/** First and last element that a view without gaps at its ends reaches. */
function reach(shape: readonly number[], strides: readonly number[], offset: number): [first: number, last: number] {
  let [first, last] = [offset, offset];
  for (const [axis, extent] of shape.entries()) {
    const step = (strides[axis] ?? 0) * Math.max(0, extent - 1);
    if (step < 0) first += step;
    else last += step;
  }
  return [first, last];
}
