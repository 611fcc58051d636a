import { viewData } from "./array-data.ts";
import type { DTypeMap, NestedScalar, Scalar, StructScalar, TypedArray } from "./dtype.ts";
import type { ElementType, StructField } from "./element-type.ts";
import { shapeSize } from "./shape.ts";

/** Reads one element of any type; handed in, since a record's fields are elements again. */
type ReadScalar = (type: ElementType, data: TypedArray, index: number) => Scalar;
type WriteScalar = (type: ElementType, data: TypedArray, index: number, value: unknown) => void;

/** Reads record `index` as an object by field name; a sub-array is nested lists. */
export function structAt(data: Uint8Array, index: number, type: ElementType, read: ReadScalar): StructScalar {
  // fromEntries makes own properties of names such as __proto__ too.
  return Object.fromEntries(
    (type.fields ?? []).map((field) => {
      const bytes = fieldBytes(data, index, type, field);
      return [field.name, nest(field.type, viewData(field.type, bytes), field.shape, 0, read)];
    }),
  );
}

/** Writes an object's values as record `index`; padding and titles are not touched. @throws TypeError for a missing field. */
export function setStruct(
  data: Uint8Array,
  index: number,
  value: unknown,
  type: ElementType,
  write: WriteScalar,
): void {
  if (typeof value !== "object" || value === null)
    throw new TypeError(`a record is an object with its fields, not ${value === null ? "null" : typeof value}`);
  for (const field of type.fields ?? []) {
    if (!Object.hasOwn(value, field.name)) throw new TypeError(`the record lacks field ${JSON.stringify(field.name)}`);
    // A copy with its own alignment, put back when it is whole.
    const bytes = fieldBytes(data, index, type, field);
    const copy = new Uint8Array(bytes);
    const target = viewData(field.type, copy);
    const flat = flatten((value as Readonly<Record<string, unknown>>)[field.name], field.shape);
    for (const [i, one] of flat.entries()) write(field.type, target, i, one);
    bytes.set(copy);
  }
}

function fieldBytes(data: Uint8Array, index: number, type: ElementType, field: StructField): Uint8Array {
  const start = index * type.itemSize + field.offset;
  return data.subarray(start, start + field.type.itemSize * shapeSize(field.shape, field.type.itemSize));
}

function nest(
  type: ElementType,
  data: DTypeMap[ElementType["dtype"]],
  shape: readonly number[],
  index: number,
  read: ReadScalar,
): NestedScalar {
  const [extent, ...inner] = shape;
  if (extent === undefined) return read(type, data, index);
  const step = shapeSize(inner);
  return Array.from({ length: extent }, (_, i) => nest(type, data, inner, index + i * step, read));
}

function flatten(value: unknown, shape: readonly number[]): unknown[] {
  const [extent, ...inner] = shape;
  if (extent === undefined) return [value];
  if (!Array.isArray(value) || value.length !== extent) {
    const found = Array.isArray(value) ? `one of ${value.length}` : typeof value;
    throw new RangeError(`a sub-array is a list of ${extent}, not ${found}`);
  }
  return value.flatMap((entry) => flatten(entry, inner));
}
