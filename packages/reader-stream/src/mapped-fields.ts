import type { ByteReadOptions, ElementType } from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import { FileSource } from "./file-source.ts";
import { gatherRows } from "./gather-rows.ts";
import { type MappedSource, mappedSource } from "./mapped-source.ts";
import { regionSource } from "./region-source.ts";
import type { MappedFields } from "./row-fields.ts";
import { ShardList } from "./shard-list.ts";
import type { StoredArray } from "./stored-array.ts";

/** An array to map, and the type that its elements are delivered as. */
export interface FieldToMap {
  readonly handle: ArrayHandle;
  readonly type: ElementType;
}

/**
 * Maps the files of fields.
 *
 * @returns `undefined` where a field is not of plain files that are still what they were when they were opened: deflated
 *   members, other sources.
 * @throws NpyError `ERR_MAP_UNAVAILABLE` where the system does not map them, or koffi is not installed.
 */
export function mapFields(fields: ReadonlyMap<string, FieldToMap>): MappedFields | undefined {
  const plain = [...fields].map(([name, field]) => ({ name, ...field, places: placesOf(field.handle) ?? [] }));
  if (plain.some(({ places, handle }) => places.length < handle.shards.arrays.length)) return undefined;
  const sources: MappedSource[] = [];
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
  };
  const mapped = new Map<string, MappedField>();
  try {
    for (const { name, handle, type, places } of plain) {
      const arrays: StoredArray[] = [];
      for (const [index, array] of handle.shards.arrays.entries()) {
        const { path, start } = places[index] as FilePlace;
        const source = mappedSource(path);
        sources.push(source);
        // Another file has taken the name since; the handle still has the one it opened.
        if (source.version !== array.source.version) {
          void close();
          return undefined;
        }
        arrays.push(array.withSource(() => regionSource(source, start, array.source.byteLength)));
      }
      mapped.set(name, { shards: new ShardList(arrays), type });
    }
  } catch (error) {
    void close();
    throw error;
  }
  return new MappedShards(mapped, sources, close);
}

interface MappedField {
  readonly shards: ShardList;
  readonly type: ElementType;
}

/** Where an array is on disk: its `.npy` begins at `start`. */
interface FilePlace {
  readonly path: string;
  readonly start: number;
}

class MappedShards implements MappedFields {
  readonly #fields: ReadonlyMap<string, MappedField>;
  readonly #sources: readonly MappedSource[];
  readonly #close: () => Promise<void>;

  constructor(fields: ReadonlyMap<string, MappedField>, sources: readonly MappedSource[], close: () => Promise<void>) {
    this.#fields = fields;
    this.#sources = sources;
    this.#close = close;
  }

  view(name: string): Uint8Array | undefined {
    const { shards, type } = this.#field(name);
    const isWhole = this.#sources.every(({ isViewedWhole }) => isViewedWhole);
    return isWhole && type === shards.type && shards.length > 0 ? shards.viewRows(0, shards.length) : undefined;
  }

  gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const { shards, type } = this.#field(name);
    return gatherRows(shards, rows, type, into, options);
  }

  rowOf(row: number): number {
    return row;
  }

  check(): void {
    for (const source of this.#sources) source.checkUnchanged();
  }

  close(): Promise<void> {
    return this.#close();
  }

  #field(name: string): MappedField {
    const field = this.#fields.get(name);
    if (field === undefined) throw new TypeError(`there is no field ${name}`);
    return field;
  }
}

function placesOf({ shards, path, dataPosition, dataOffset }: ArrayHandle): FilePlace[] | undefined {
  const [only, ...others] = shards.arrays;
  if (only === undefined) return undefined;
  const places: FilePlace[] = [];
  for (const { source } of shards.arrays) {
    if (!(source instanceof FileSource) || source.path === undefined) break;
    places.push({ path: source.path, start: 0 });
  }
  if (places.length === shards.arrays.length) return places;
  // A stored member lies in its archive as it is.
  const isStored = others.length === 0 && only.source.version !== undefined;
  if (!isStored || path === undefined || dataPosition === undefined) return undefined;
  return [{ path, start: dataPosition - dataOffset }];
}
