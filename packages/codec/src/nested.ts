import { createData } from "./array-data.ts";
import type { DType } from "./dtype.ts";
import type { DTypeLike, ElementType } from "./element-type.ts";
import { NdArray, type Nested } from "./nd-array.ts";
import { NpyError } from "./npy-error.ts";
import { elementType } from "./parse-descr.ts";
import { setScalar } from "./scalar.ts";
import { shapeSize } from "./shape.ts";

/**
 * Makes an array of nested lists of values, as `np.array(values, dtype)` does; the shape is that of the nesting.
 *
 * @throws NpyError `ERR_SHAPE` where lists of one depth differ in length, `ERR_NPY_DTYPE` for a type there is not.
 * @throws TypeError or RangeError for a value that the dtype does not hold, naming its index.
 */
export function fromNested<D extends DType>(values: Nested<unknown>, type: D | ElementType<D>): NdArray<D>;
export function fromNested(values: Nested<unknown>, type: DTypeLike): NdArray;
export function fromNested(values: Nested<unknown>, type: DTypeLike): NdArray {
  if (type === undefined) throw new TypeError("fromNested takes the dtype of the elements as its second argument");
  const element = elementType(type);
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  const size = shapeSize(shape, element.itemSize);
  const data = createData(element, size);
  const index: number[] = [];
  let written = 0;
  const fill = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (Array.isArray(value)) throw ragged(index, "a value", `a list of ${value.length}`);
      try {
        setScalar(element, data, written, value);
      } catch (error) {
        if (error instanceof Error) error.message = `at [${index.join(", ")}]: ${error.message}`;
        throw error;
      }
      written++;
      return;
    }
    if (!Array.isArray(value)) throw ragged(index, `a list of ${shape[axis]}`, "a value");
    if (value.length !== shape[axis]) throw ragged(index, `a list of ${shape[axis]}`, `one of ${value.length}`);
    for (const [i, entry] of value.entries()) {
      index.push(i);
      fill(entry, axis + 1);
      index.pop();
    }
  };
  fill(values, 0);
  return new NdArray({ dtype: element, shape, data });
}

function ragged(index: readonly number[], expected: string, found: string): NpyError {
  return new NpyError("ERR_SHAPE", `expected ${expected} at [${index.join(", ")}], found ${found}`);
}
