import { viewData } from "./array-data.ts";
import type { ByteSwap } from "./byte-order.ts";
import { swapRecordsInPlace } from "./byte-order.ts";
import type { DType } from "./dtype.ts";
import type { ElementType } from "./element-type.ts";
import { joinBytes } from "./join-bytes.ts";
import { type LimitOptions, limitsIn } from "./limits.ts";
import { NdArray } from "./nd-array.ts";
import { NpyError } from "./npy-error.ts";
import { formatNpyHeader, parseNpyHeader } from "./npy-header.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { type Order, stridesOf } from "./shape.ts";

/** Options of {@link decodeNpy}. */
export interface DecodeNpyOptions extends LimitOptions {
  /** Whether bytes behind the array are `ERR_NPY_TRAILING`. @defaultValue false, as NumPy */
  readonly strict?: boolean;
}

/** How the data bytes of an array are laid out. */
export interface DataLayout<D extends DType> {
  /** What one element is. */
  readonly type: ElementType<D>;
  /** Parts of every element that are not in the machine's order. */
  readonly swaps: readonly ByteSwap[];
  /** Order of the elements. */
  readonly order: Order;
  /** Extent of each axis. */
  readonly shape: readonly number[];
}

/**
 * Gives an array's data bytes as an array: a view of them where they are aligned and in the machine's order, else a copy.
 *
 * @throws RangeError where `bytes` are not exactly those of the layout.
 */
export function decodeData<D extends DType>(layout: DataLayout<D>, bytes: Uint8Array): NdArray<D> {
  const { type, swaps, order, shape } = layout;
  const native = swaps.length === 0 ? bytes : new Uint8Array(bytes);
  swapRecordsInPlace(native, type.itemSize, swaps);
  const array = new NdArray({
    dtype: type,
    shape,
    data: viewData(type, native),
    strides: stridesOf(shape, order),
  });
  if (array.byteLength !== bytes.byteLength) {
    throw new RangeError(`${bytes.byteLength} bytes where the layout has ${array.byteLength}`);
  }
  return array;
}

/**
 * Decodes a `.npy` in memory; the data is a view of `bytes` where alignment and byte order allow.
 *
 * @throws NpyError those of `parseNpyHeader`; `ERR_NPY_TRUNCATED` where data is missing; `ERR_NPY_TRAILING` where asked.
 */
export function decodeNpy(bytes: Uint8Array, options: DecodeNpyOptions = {}): NdArray {
  checkOptionKeys("decodeNpy", options, ["limits", "strict"]);
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError("decodeNpy takes the bytes of a file: new Uint8Array(buffer) shows those of an ArrayBuffer");
  }
  const header = parseNpyHeader(bytes, limitsIn(options));
  const end = header.dataOffset + header.byteLength;
  if (bytes.length < end) {
    const message = `the header declares ${header.byteLength} bytes of data and ${bytes.length - header.dataOffset} are there`;
    throw new NpyError("ERR_NPY_TRUNCATED", message, { offset: bytes.length });
  }
  if (options.strict && bytes.length > end) {
    throw new NpyError("ERR_NPY_TRAILING", `${bytes.length - end} bytes follow the array`, { offset: end });
  }
  return decodeData(header, bytes.subarray(header.dataOffset, end));
}

/** Encodes an array as the `.npy` that `np.save` writes for it, byte for byte: Fortran order only where C does not hold. */
export function encodeNpy(array: NdArray): Uint8Array {
  if (!(array instanceof NdArray)) {
    throw new TypeError(
      "encodeNpy takes an NdArray: NdArray.from(typedArray, shape) or fromNested(lists, dtype) makes one",
    );
  }
  return joinBytes(npyPieces(array));
}

/** Gives the header and the data of an array's `.npy`; the data is a view where the elements lie in order. */
export function npyPieces(array: NdArray): readonly [header: Uint8Array, data: Uint8Array] {
  const order = array.order === "F" ? "F" : "C";
  const header = formatNpyHeader({ dtype: array.type, shape: array.shape, order });
  return [header, arrayBytes(order === "F" ? array.transpose() : array)];
}

/** Gives the elements' bytes in C order and the machine's byte order: a view where they lie so, else a copy. */
export function arrayBytes(array: NdArray): Uint8Array {
  // A view without elements may begin past its data.
  if (array.byteLength === 0) return new Uint8Array(0);
  const whole = array.contiguous();
  return new Uint8Array(whole.data.buffer, whole.data.byteOffset + whole.offset * whole.itemSize, whole.byteLength);
}
