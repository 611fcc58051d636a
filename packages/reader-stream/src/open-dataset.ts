import { checkOptionKeys, NdArray, NpyError } from "@npystream/codec";
import { ArrayHandle } from "./array-handle.ts";
import { arraySource } from "./array-source.ts";
import { Dataset } from "./dataset.ts";
import type { DatasetFields, DTypesOf, FieldSource, FieldSpec } from "./dataset-types.ts";
import { type HandleField, HandleFields } from "./handle-fields.ts";
import { openNpy } from "./open-array.ts";
import { openManifestArray, splitManifestPath } from "./open-manifest.ts";
import type { SourceLike } from "./open-source.ts";
import { kindOf } from "./value-kind.ts";

/**
 * Opens arrays of the same number of rows as the fields of one dataset, features and labels for example. Reads headers
 * and no data. A handle that is passed in stays the caller's to close, and an array in memory is not copied where it
 * lies in C order.
 *
 * @example
 * await using dataset = await openDataset({
 *   features: { from: ["x-0.npy", "x-1.npy"], as: "float32" },
 *   labels: { from: "y.npz#labels", as: "int32" },
 * });
 *
 * @throws NpyError `ERR_DATASET_ROWS` where fields differ in rows, those of `openNpy`, and for a manifest `ERR_MANIFEST`
 *   and `ERR_SHARD_MISMATCH`. TypeError for no fields, one named `meta`, which batches have already, and a cast that
 *   there is not.
 */
export async function openDataset<const F extends DatasetFields>(fields: F): Promise<Dataset<DTypesOf<F>>> {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    const found = kindOf(fields);
    throw new TypeError(`openDataset takes fields by name, { features: "x.npy", labels: "y.npy" }, not ${found}`);
  }
  const names = Object.keys(fields);
  if (names.length === 0) throw new TypeError("a dataset has at least one field");
  if (names.includes("meta")) throw new TypeError("a field cannot be named meta: that is what a batch says of itself");
  const opened: ArrayHandle[] = [];
  const close = async (): Promise<void> => {
    const results = await Promise.allSettled(opened.map((handle) => handle.close()));
    for (const result of results) if (result.status === "rejected") throw result.reason;
  };
  try {
    const arrays = new Map<string, HandleField>();
    for (const [name, field] of Object.entries(fields)) {
      const { from, as } = specOf(field);
      const handle = from instanceof ArrayHandle ? from : await openField(from, name);
      if (handle !== from) opened.push(handle);
      arrays.set(name, { handle, as });
    }
    checkRows(arrays);
    return new Dataset<DTypesOf<F>>(new HandleFields(arrays), close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function openField(from: FieldSource, name: string): Promise<ArrayHandle> {
  if (from instanceof NdArray) return await openNpy(arraySource(from));
  const manifest = splitManifestPath(from);
  if (manifest !== undefined) return await openManifestArray(manifest, name);
  return await openNpy(from as SourceLike | readonly SourceLike[]);
}

function specOf(field: FieldSource | FieldSpec): FieldSpec {
  if (typeof field !== "object" || field === null || !("from" in field) || ArrayBuffer.isView(field)) {
    return { from: field as FieldSource };
  }
  checkOptionKeys("a field", field, ["from", "as"]);
  return field;
}

function checkRows(arrays: ReadonlyMap<string, HandleField>): void {
  const [first, ...others] = arrays;
  for (const [name, { handle }] of others) {
    if (first === undefined || handle.length === first[1].handle.length) continue;
    throw new NpyError(
      "ERR_DATASET_ROWS",
      `field ${first[0]} has ${first[1].handle.length} rows and field ${name} has ${handle.length}`,
      { path: handle.path, member: handle.member },
    );
  }
}
