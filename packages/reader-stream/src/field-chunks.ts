import { type ByteReadOptions, NdArray, viewData } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import type { RowFields } from "./row-fields.ts";

/** Bytes of a chunk of all fields together: what is worked out of it is still in the cache of a core. */
const CHUNK_BYTES = 1 << 20;

/** Consecutive rows of some fields. */
export interface FieldChunk {
  /** Index of the first row in the dataset. */
  readonly start: number;
  /** Number of rows. */
  readonly rows: number;
  /** The rows by field: arrays of their own in C order from offset 0. */
  readonly arrays: Readonly<Record<string, NdArray>>;
}

/** Reads all rows of some fields once, from the first on; one chunk is read ahead. */
export async function* fieldChunks(
  fields: RowFields,
  names: readonly string[],
  options: ByteReadOptions,
): AsyncGenerator<FieldChunk, void, undefined> {
  const rowBytes = names.reduce((sum, name) => sum + fields.rowBytes(name), 0);
  const rows = Math.max(1, Math.floor(CHUNK_BYTES / Math.max(1, rowBytes)));
  let next = readChunk(fields, names, 0, rows, options);
  try {
    for (let start = 0; start < fields.length; start += rows) {
      const chunk = await next;
      next = readChunk(fields, names, start + rows, rows, options);
      // Its failure is told in its turn, or not at all where nobody asks for it any more.
      next.catch(() => undefined);
      options.signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await Promise.allSettled([next]);
  }
}

/** Reads rows of one field by their index into an array of their own. */
export async function gatherField(
  fields: RowFields,
  name: string,
  rows: ArrayLike<number>,
  options?: ByteReadOptions,
): Promise<NdArray> {
  const bytes = allocateBytes(rows.length * fields.rowBytes(name));
  await fields.gatherRows(name, rows, bytes, options);
  return arrayOf(fields, name, rows.length, bytes);
}

async function readChunk(
  fields: RowFields,
  names: readonly string[],
  start: number,
  rows: number,
  options: ByteReadOptions,
): Promise<FieldChunk> {
  const count = Math.max(0, Math.min(rows, fields.length - start));
  const reads = names.map(async (name): Promise<[string, NdArray]> => {
    const bytes = allocateBytes(count * fields.rowBytes(name));
    if (count > 0) await fields.readRows(name, start, bytes, options);
    return [name, arrayOf(fields, name, count, bytes)];
  });
  // What is read into has to be left alone until every read has ended.
  await Promise.allSettled(reads);
  return { start, rows: count, arrays: Object.fromEntries(await Promise.all(reads)) };
}

function arrayOf(fields: RowFields, name: string, rows: number, bytes: Uint8Array): NdArray {
  const type = fields.type(name);
  return new NdArray({ dtype: type, shape: [rows, ...fields.rowShape(name)], data: viewData(type, bytes) });
}
