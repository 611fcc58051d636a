import type { DType } from "./dtype.ts";
import { NpyError } from "./npy-error.ts";

/** Reads elements from `start` on into `block` as numbers. */
export type Load = (block: Float64Array, start: number) => void;

/** Writes the numbers of `block` as elements from `start` on. */
export type Store = (block: Float64Array, start: number) => void;

/** Casts `count` elements from `start` on and puts them at `target`; positions are in elements. */
export type CastElements = (start: number, target: number, count: number) => void;

/** Ranges of the integers that a number can be cast to. */
export const INTEGER_RANGES: Readonly<Partial<Record<DType, readonly [lowest: number, highest: number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint8: [0, 2 ** 8 - 1],
  uint16: [0, 2 ** 16 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/** The error of element `index` in C order, which the `target` of a cast cannot hold: `ERR_CAST_RANGE`. */
export function castRangeError(index: number, value: number | bigint | undefined, target: string): NpyError {
  return new NpyError("ERR_CAST_RANGE", `element ${index} in C order, ${value}, is outside the range of ${target}`);
}
