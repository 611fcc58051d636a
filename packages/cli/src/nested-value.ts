import type { NestedScalar, Scalar, StructScalar } from "@npystream/codec";

/** Tells a sub-array of a record from a single value. */
export function isList(value: NestedScalar): value is readonly NestedScalar[] {
  return Array.isArray(value);
}

/** The single values of a sub-array in C order, or the value itself. */
export function leavesOf(value: NestedScalar): Scalar[] {
  return isList(value) ? value.flatMap(leavesOf) : [value];
}

/** The value that a record has for a field of its type. */
export function fieldOf(record: Scalar, name: string): NestedScalar {
  // A record has every field of its type.
  return (record as StructScalar)[name] as NestedScalar;
}
