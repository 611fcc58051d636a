import { viewData } from "./array-data.ts";
import { type DType, type DTypeMap, dataOver, dtypeInfo } from "./dtype.ts";
import type { ElementType, StructField } from "./element-type.ts";
import { shapeSize, stridesOf } from "./shape.ts";

/** A strided array of one field of a struct array. */
export interface FieldArray {
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly data: DTypeMap[DType];
}

/** A struct array, as far as its fields need it. */
interface StructArray {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly data: Uint8Array;
}

/**
 * Finds a field of a struct by its name or title.
 *
 * @throws TypeError where there is none, or no struct.
 */
export function findField(type: ElementType, name: string): StructField {
  const field = type.fields?.find((one) => one.name === name) ?? type.fields?.find((one) => one.title === name);
  if (field !== undefined) return field;
  const names = type.fields?.map((one) => JSON.stringify(one.name)).join(", ");
  throw new TypeError(
    names === undefined
      ? `${type.dtype} has no fields`
      : `there is no field ${JSON.stringify(name)}; there are ${names}`,
  );
}

/** Whether a field can be seen in place: aligned for its typed array, and records a whole number of elements apart. */
export function isFieldInPlace(array: StructArray, field: StructField): boolean {
  const { entryBytes } = dtypeInfo(field.type.dtype);
  const { itemSize } = array.type;
  return (
    field.type.itemSize > 0 &&
    array.data.byteLength >= itemSize &&
    itemSize % field.type.itemSize === 0 &&
    (array.data.byteOffset + field.offset) % entryBytes === 0
  );
}

/** Gives a field as an array of its own, in place where that is possible, else as a copy. */
export function fieldArray(array: StructArray, field: StructField): FieldArray {
  const inner = stridesOf(field.shape, "C");
  const shape = [...array.shape, ...field.shape];
  const { itemSize } = array.type;
  if (isFieldInPlace(array, field)) {
    const { entryBytes } = dtypeInfo(field.type.dtype);
    const perRecord = itemSize / field.type.itemSize;
    const byteLength = Math.max(0, array.data.byteLength - field.offset);
    const data = dataOver(
      field.type.dtype,
      array.data.buffer,
      array.data.byteOffset + field.offset,
      Math.floor(byteLength / entryBytes),
    );
    const strides = [...array.strides.map((stride) => stride * perRecord), ...inner];
    return { dtype: field.type, shape, strides, offset: array.offset * perRecord, data };
  }
  const fieldBytes = field.type.itemSize * shapeSize(field.shape, field.type.itemSize);
  const bytes = new Uint8Array(shapeSize(array.shape) * fieldBytes);
  let written = 0;
  // Without bytes there is nothing to copy, in as many records as a header likes to declare.
  for (const record of fieldBytes === 0 ? [] : recordOffsets(array)) {
    const start = record * itemSize + field.offset;
    bytes.set(array.data.subarray(start, start + fieldBytes), written);
    written += fieldBytes;
  }
  return { dtype: field.type, shape, strides: stridesOf(shape, "C"), offset: 0, data: viewData(field.type, bytes) };
}

/** Positions in elements of all records in C order. */
function* recordOffsets({ shape, strides, offset }: StructArray): Generator<number> {
  const size = shapeSize(shape);
  const index = new Array<number>(shape.length).fill(0);
  let position = offset;
  for (let i = 0; i < size; i++) {
    yield position;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      position += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      position -= next * (strides[axis] ?? 0);
      index[axis] = 0;
    }
  }
}
