import { checkData, createData, viewData } from "./array-data.ts";
import { type AxisIndex, resolveIndex, resolveRange } from "./basic-index.ts";
import { castData } from "./cast.ts";
import { copyToC } from "./copy-strided.ts";
import { type DType, type DTypeMap, dataOver, dtypeOf, type ScalarMap, type TypedArray } from "./dtype.ts";
import type { DTypeLike, ElementType } from "./element-type.ts";
import { fieldArray, findField, isFieldInPlace } from "./field-view.ts";
import { NpyError } from "./npy-error.ts";
import { elementType } from "./parse-descr.ts";
import { scalarAt } from "./scalar.ts";
import { type Order, shapeSize, stridesOf } from "./shape.ts";

/** Nested lists of elements, as NumPy's `tolist()` gives them; a 0-d array is its one element. */
export type Nested<T> = T | Nested<T>[];

/** What an {@link NdArray} is made of. */
export interface NdArrayInit<D extends DType> {
  /** What one element is. */
  readonly dtype: D | ElementType<D>;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** The elements; kept, not copied. */
  readonly data: DTypeMap[D];
  /** Distance in elements from one index of an axis to the next. @defaultValue those of C order */
  readonly strides?: readonly number[];
  /** Position in elements of index 0. @defaultValue 0 */
  readonly offset?: number;
}

/** An n-dimensional array over a typed array. Slices and transposes are views of the same data. */
export class NdArray<D extends DType = DType> {
  /** What one element is, in full. */
  readonly type: ElementType<D>;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** Distance in elements from one index of each axis to the next. */
  readonly strides: readonly number[];
  /** Position in elements of index 0 in `data`. */
  readonly offset: number;
  /** The elements: `Float32Array` for float32, interleaved for complex, see {@link DTypeMap}. */
  readonly data: DTypeMap[D];
  /** Number of elements. */
  readonly size: number;

  /** @throws RangeError where shape and strides reach outside `data` or are no whole numbers. */
  constructor(init: NdArrayInit<D>) {
    const { dtype, shape, data, strides = stridesOf(shape, "C"), offset = 0 } = init;
    this.type = elementType(dtype);
    this.size = shapeSize(shape, this.type.itemSize);
    this.shape = Object.freeze([...shape]);
    this.strides = Object.freeze([...strides]);
    this.offset = offset;
    this.data = data;
    checkData(this.type, data);
    if (strides.length !== shape.length) throw new RangeError(`${strides.length} strides for ${shape.length} axes`);
    // Half a stride can end on a whole element and miss all between.
    if (![...strides, offset].every(Number.isInteger)) {
      throw new RangeError(`strides [${strides.join(", ")}] and offset ${offset} are whole numbers of elements`);
    }
    if (this.size === 0) return;
    let lowest = offset;
    let highest = offset;
    for (const [axis, stride] of strides.entries()) {
      const reach = stride * ((shape[axis] ?? 1) - 1);
      if (reach < 0) lowest += reach;
      else highest += reach;
    }
    const present = this.itemSize === 0 ? Number.POSITIVE_INFINITY : Math.floor(data.length / this.type.stride);
    if (!Number.isInteger(lowest) || !Number.isInteger(highest) || lowest < 0 || highest >= present) {
      throw new RangeError(`shape [${shape.join(", ")}] reaches outside the ${present} elements of data`);
    }
  }

  /**
   * Wraps a typed array, whose type names the dtype, without a copy.
   *
   * @param shape - One axis by default.
   * @throws RangeError where the shape does not take all of `data`.
   */
  static from<D extends DType = DType>(
    data: DTypeMap[D] & TypedArray,
    shape: readonly number[] = [data.length],
  ): NdArray<D> {
    // dtypeOf finds the one dtype whose data has this type, which is D where D was inferred from it.
    const array = new NdArray<D>({ dtype: dtypeOf(data) as D, shape, data });
    if (array.size !== data.length)
      throw new RangeError(`shape [${shape.join(", ")}] does not hold ${data.length} elements`);
    return array;
  }

  /** Allocates an array of zeros. */
  static zeros<D extends DType>(dtype: D | ElementType<D>, shape: readonly number[]): NdArray<D> {
    const type = elementType(dtype);
    return new NdArray({ dtype: type, shape, data: createData(type, shapeSize(shape, type.itemSize)) });
  }

  /** Name of the element type. */
  get dtype(): D {
    return this.type.dtype;
  }

  /** Bytes an element. */
  get itemSize(): number {
    return this.type.itemSize;
  }

  /** Number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** Extent of the first axis; 1 for a 0-d array, which is written and read as one row. */
  get length(): number {
    return this.shape[0] ?? 1;
  }

  /** Bytes of all elements, not of the data that a view shares. */
  get byteLength(): number {
    return this.size * this.itemSize;
  }

  /** Whether elements follow each other in C order without gaps. */
  get isContiguous(): boolean {
    return this.#lies("C");
  }

  /** Order in which the elements lie without gaps: `C` where both hold, `null` where neither does. */
  get order(): Order | null {
    return this.#lies("C") ? "C" : this.#lies("F") ? "F" : null;
  }

  /**
   * Reads one element; negative indices count from the end.
   *
   * @throws RangeError for an index outside its axis or the wrong number of indices.
   */
  get(...index: readonly number[]): ScalarMap[D] {
    if (index.length !== this.rank) throw new RangeError(`${index.length} indices for ${this.rank} axes`);
    let position = this.offset;
    for (const [axis, i] of index.entries()) {
      position += resolveIndex(i, this.shape[axis] ?? 0, axis) * (this.strides[axis] ?? 0);
    }
    return scalarAt(this.type, this.data, position);
  }

  /** Gives entry `index` of the first axis, a view with one axis less. @throws RangeError outside the axis. */
  at(index: number): NdArray<D> {
    return this.slice(index);
  }

  /**
   * Selects with NumPy's basic indexing, one argument an axis; axes without one stay whole. The result is a view.
   *
   * @throws RangeError for an index outside its axis, a step of 0 or more arguments than axes.
   */
  slice(...ranges: readonly AxisIndex[]): NdArray<D> {
    if (ranges.length > this.rank) throw new RangeError(`${ranges.length} ranges for ${this.rank} axes`);
    const shape: number[] = [];
    const strides: number[] = [];
    let offset = this.offset;
    for (const [axis, extent] of this.shape.entries()) {
      const stride = this.strides[axis] ?? 0;
      const range = ranges[axis] ?? null;
      if (typeof range === "number") {
        offset += resolveIndex(range, extent, axis) * stride;
        continue;
      }
      const { start, step, length } = resolveRange(range ?? {}, extent);
      if (length > 0) offset += start * stride;
      shape.push(length);
      strides.push(stride * step);
    }
    return new NdArray({ dtype: this.type, shape, strides, offset, data: this.data });
  }

  /** Reverses the axes, as NumPy's `.T`. The result is a view. */
  transpose(): NdArray<D> {
    const { type, data, offset } = this;
    return new NdArray({
      dtype: type,
      data,
      offset,
      shape: this.shape.toReversed(),
      strides: this.strides.toReversed(),
    });
  }

  /**
   * Gives the same elements another shape; one extent may be -1 and is worked out. The result is a view.
   *
   * @throws NpyError `ERR_SHAPE` where the number of elements differs or they do not lie in C order: take
   *   `contiguous()` first.
   */
  reshape(shape: readonly number[]): NdArray<D> {
    const known = shape.reduce((product, extent) => (extent === -1 ? product : product * extent), 1);
    const free = shape.filter((extent) => extent === -1).length;
    const resolved =
      free === 1 && known > 0 ? shape.map((extent) => (extent === -1 ? this.size / known : extent)) : shape;
    const product = resolved.reduce((total, extent) => total * extent, 1);
    if (product !== this.size || resolved.some((extent) => !Number.isInteger(extent) || extent < 0)) {
      throw new NpyError("ERR_SHAPE", `shape [${shape.join(", ")}] does not hold ${this.size} elements`);
    }
    if (!this.isContiguous)
      throw new NpyError("ERR_SHAPE", "a view that is not contiguous takes contiguous() before reshape()");
    return new NdArray({ dtype: this.type, shape: resolved, offset: this.offset, data: this.data });
  }

  /** Gives the array itself where it lies in C order without gaps, else a copy that does. */
  contiguous(): NdArray<D> {
    if (this.isContiguous) return this;
    const copy = NdArray.zeros(this.type, this.shape);
    copyToC(this, copy.data);
    return copy;
  }

  /**
   * Casts every element, with NumPy's meaning where nothing but precision is lost.
   *
   * @returns An array in C order; the array itself where it is of that type and order.
   * @throws NpyError `ERR_CAST_RANGE` for an element the type cannot hold, with its index. TypeError where there is no such cast.
   */
  astype<E extends DType>(type: E | ElementType<E>): NdArray<E>;
  astype(type: DTypeLike): NdArray;
  astype(type: DTypeLike): NdArray {
    const target = elementType(type);
    if (target.dtype === this.dtype && target.itemSize === this.itemSize && this.#isSameStruct(target))
      return this.contiguous();
    const { data, offset, size } = this.contiguous();
    const { dtype, itemSize, stride } = this.type;
    const entries = dataOver(dtype, data.buffer, data.byteOffset + offset * itemSize, size * stride);
    return new NdArray({ dtype: target, shape: this.shape, data: castData(this.type, entries, size, target) });
  }

  /**
   * Reads the same bytes as elements of another type of the same size, as NumPy's `view`: `V2` as `bfloat16`.
   *
   * @returns A view, or a copy where the bytes are not aligned for the type.
   * @throws TypeError where the item sizes differ.
   */
  view<E extends DType>(type: E | ElementType<E>): NdArray<E>;
  view(type: DTypeLike): NdArray;
  view(type: DTypeLike): NdArray {
    const target = elementType(type);
    if (target.itemSize !== this.itemSize) {
      throw new TypeError(`${this.itemSize} bytes of ${this.dtype} are no ${target.itemSize} of ${target.dtype}`);
    }
    const { buffer, byteOffset, byteLength } = this.data;
    // The data of a field goes on to the end of the last record, which need not be a whole element.
    const whole = byteLength - (this.itemSize === 0 ? byteLength : byteLength % this.itemSize);
    const data = viewData(target, new Uint8Array(buffer, byteOffset, whole));
    return new NdArray({ dtype: target, shape: this.shape, strides: this.strides, offset: this.offset, data });
  }

  /**
   * Gives one field of a struct array, found by name or title; the shape of a sub-array is appended.
   *
   * @returns A view where `isFieldInPlace` says so, else a copy.
   * @throws TypeError where there is no such field.
   */
  field(name: string): NdArray {
    return new NdArray(fieldArray(this.#structs(), findField(this.type, name)));
  }

  /** Tells whether `field(name)` is a view: aligned, and records a whole number of its elements apart. */
  isFieldInPlace(name: string): boolean {
    return isFieldInPlace(this.#structs(), findField(this.type, name));
  }

  /** Gives the elements as nested lists, as NumPy's `tolist()`. */
  toNested(): Nested<ScalarMap[D]> {
    if (this.rank === 0) return this.get();
    return Array.from(this, (entry) => entry.toNested());
  }

  /** Iterates over the first axis. @throws TypeError for a 0-d array. */
  *[Symbol.iterator](): IterableIterator<NdArray<D>> {
    if (this.rank === 0) throw new TypeError("a 0-d array has no axis to iterate over");
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  #isSameStruct(target: ElementType): boolean {
    return target.fields === undefined || JSON.stringify(target.descr) === JSON.stringify(this.type.descr);
  }

  #structs(): NdArray<"struct"> {
    if (this.type.fields === undefined) throw new TypeError(`${this.dtype} has no fields`);
    // Only structs have fields.
    return this as unknown as NdArray<"struct">;
  }

  #lies(order: Order): boolean {
    if (this.size <= 1 || this.itemSize === 0) return true;
    const whole = stridesOf(this.shape, order);
    return this.strides.every((stride, axis) => this.shape[axis] === 1 || stride === whole[axis]);
  }
}
