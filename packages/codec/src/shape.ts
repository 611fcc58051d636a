import type { Limits } from "./limits.ts";
import { NpyError } from "./npy-error.ts";

/** Order in which the elements of a whole array lie: last axis fastest (`C`) or first axis fastest (`F`). */
export type Order = "C" | "F";

/**
 * Multiplies the extents of `shape` exactly.
 *
 * @returns Number of elements; 1 for a 0-d array.
 * @throws NpyError `ERR_NPY_SHAPE` for an extent that is not a whole number from 0, or where `itemSize` times the
 *   product passes 2^53 - 1 bytes.
 */
export function shapeSize(shape: readonly number[], itemSize = 1): number {
  let size = 1n;
  let empty = false;
  for (const extent of shape) {
    if (!Number.isSafeInteger(extent) || extent < 0) {
      throw new NpyError(
        "ERR_NPY_SHAPE",
        `shape [${shape.join(", ")}] has an extent that is not a whole number from 0`,
      );
    }
    if (extent === 0) empty = true;
    else if (size <= BigInt(Number.MAX_SAFE_INTEGER)) size *= BigInt(extent);
  }
  // NumPy refuses it of an array without elements, and of items without bytes, too: no product may pass an exact number.
  if (size * BigInt(Math.max(1, itemSize)) > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new NpyError(
      "ERR_NPY_SHAPE",
      `shape [${shape.join(", ")}] at ${itemSize} bytes an element passes 2^53 - 1 bytes`,
    );
  }
  return empty ? 0 : Number(size);
}

/**
 * Checks the extents that a header declares and turns them into numbers.
 *
 * @throws NpyError `ERR_LIMIT_RANK` past `limits.rank`, `ERR_NPY_SHAPE` for an extent that is negative or past 2^53 - 1.
 */
export function checkShape(extents: readonly bigint[], limits: Limits): number[] {
  if (extents.length > limits.rank) {
    throw new NpyError("ERR_LIMIT_RANK", `the array has ${extents.length} axes, the limit is ${limits.rank}`);
  }
  return extents.map((extent) => {
    if (extent < 0n || extent > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new NpyError("ERR_NPY_SHAPE", `the shape holds ${extent}: an extent is a whole number from 0 to 2^53 - 1`);
    }
    return Number(extent);
  });
}

/** Strides in elements of a whole array of `shape` in `order`. */
export function stridesOf(shape: readonly number[], order: Order): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = 0; i < shape.length; i++) {
    const axis = order === "C" ? shape.length - 1 - i : i;
    strides[axis] = step;
    step *= Math.max(1, shape[axis] ?? 1);
  }
  return strides;
}
