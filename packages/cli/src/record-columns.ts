import type { ElementType, StructField } from "@npystream/codec";

/**
 * Names the columns that a record is written in: its fields, those of a record in it as `outer.inner`, the entries of a
 * sub-array as `field[0,1]`.
 */
export function* recordColumns(type: ElementType, prefix = ""): Generator<string> {
  for (const field of type.fields ?? []) yield* fieldColumns(field, `${prefix}${field.name}`);
}

function* fieldColumns({ type, shape }: StructField, name: string): Generator<string> {
  for (const index of indices(shape)) {
    const column = index.length === 0 ? name : `${name}[${index.join(",")}]`;
    if (type.fields === undefined) yield column;
    else yield* recordColumns(type, `${column}.`);
  }
}

/** Every index of a shape in C order; one empty index where it has no axes. */
function* indices(shape: readonly number[]): Generator<readonly number[]> {
  const [extent, ...inner] = shape;
  if (extent === undefined) {
    yield [];
    return;
  }
  for (let i = 0; i < extent; i++) for (const rest of indices(inner)) yield [i, ...rest];
}
