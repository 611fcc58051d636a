import type { DatetimeUnit } from "./datetime-unit.ts";
import type { DType } from "./dtype.ts";

/** What one element of an array is, in full. */
export interface ElementType<D extends DType = DType> {
  /** Name to branch on and to look up the kind of `data` by. */
  readonly dtype: D;
  /** Bytes an element. */
  readonly itemSize: number;
  /** Entries of `data` an element: 2 for complex64, the item size for raw bytes, else 1. */
  readonly stride: number;
  /** NumPy's own form of it, in the machine's byte order: `<f4`, or a list of fields. */
  readonly descr: Descr;
  /** Unit of a datetime or timedelta; none where it is generic. */
  readonly unit?: DatetimeUnit;
  /** Fields of a struct, without its padding. */
  readonly fields?: readonly StructField[];
}

/**
 * Everything that names an element type: a dtype (`float32`, `datetime64[ns]`), a type string of NumPy's (`<f4`, `S5`), a
 * list of fields, or an element type itself.
 */
export type DTypeLike<D extends DType = DType> = D | ElementType<D> | Descr;

/**
 * NumPy's `dtype.descr` in JavaScript: a type string, or the fields of a struct. Padding is a field without a name and of
 * type `|Vn`.
 */
export type Descr = string | readonly DescrField[];

/** Name (or title and name), type and, for a sub-array, shape of a field. */
export type DescrField = readonly [
  name: string | readonly [title: string, name: string],
  descr: Descr,
  shape?: readonly number[],
];

/** One field of a struct. */
export interface StructField {
  /** Name, unique in the struct. */
  readonly name: string;
  /** Second name that NumPy lets a field have. */
  readonly title?: string;
  /** What one element of the field is. */
  readonly type: ElementType;
  /** Shape of a sub-array; empty for a single value. */
  readonly shape: readonly number[];
  /** Position in the record in bytes. */
  readonly offset: number;
}
