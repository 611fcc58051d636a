import { type ByteReadOptions, type ElementType, isNpyError } from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import { FileSource } from "./file-source.ts";
import { gatherRows } from "./gather-rows.ts";
import { type MappedSource, mappedSource } from "./mapped-source.ts";
import { regionSource } from "./region-source.ts";
import { ResidentRows } from "./resident-rows.ts";
import type { MappedFields } from "./row-fields.ts";
import { ShardList } from "./shard-list.ts";
import type { StoredArray } from "./stored-array.ts";
import { checkUnchanged } from "./unchanged-source.ts";

/** An array to map, and the type that its elements are delivered as. */
export interface FieldToMap {
  readonly handle: ArrayHandle;
  readonly type: ElementType;
}

/**
 * Maps the files of fields; arrays that are in memory already are taken as they are.
 *
 * @param isMapped - Whether files are mapped; else only fields that are in memory, all of them, are resident.
 * @returns `undefined` where a field is not of plain files that are still what they were when they were opened: deflated
 *   members, other sources.
 * @throws NpyError `ERR_MAP_UNAVAILABLE` where the system does not map them, or koffi is not installed.
 */
export function mapFields(fields: ReadonlyMap<string, FieldToMap>, isMapped: boolean): MappedFields | undefined {
  const plain = [...fields].map(([name, field]) => ({ name, ...field, places: placesOf(field.handle) }));
  if (plain.some(({ places }) => places === undefined)) return undefined;
  if (!isMapped && plain.some(({ places }) => places?.some((place) => place !== undefined))) return undefined;
  const sources: MappedSource[] = [];
  const close = async (): Promise<void> => {
    for (const source of sources) await source.close();
  };
  const mapped = new Map<string, MappedField>();
  try {
    for (const { name, handle, type, places = [] } of plain) {
      const arrays: StoredArray[] = [];
      for (const [index, array] of handle.shards.arrays.entries()) {
        const place = places[index];
        if (place === undefined) {
          arrays.push(array);
          continue;
        }
        const source = mappedSource(place.path);
        sources.push(source);
        // Another file has taken the name since; the handle still has the one it opened.
        if (source.version !== array.source.version) {
          void close();
          return undefined;
        }
        arrays.push(array.withSource(() => regionSource(source, place.start, array.source.byteLength)));
      }
      const shards = new ShardList(arrays);
      const isWhole = sources.every(({ isViewedWhole }) => isViewedWhole);
      mapped.set(name, { handle, shards, type, resident: isWhole ? residentRows(handle, shards, type) : undefined });
    }
  } catch (error) {
    void close();
    throw error;
  }
  return new MappedShards(mapped, close);
}

/** Gives all rows where every shard is in view whole, in the machine's byte order and in C order. */
function residentRows({ path, member }: ArrayHandle, shards: ShardList, type: ElementType): ResidentRows | undefined {
  if (shards.rowBytes === 0) return undefined;
  const pieces: Uint8Array[] = [];
  for (const array of shards.arrays) {
    const view = array.viewRows(0, array.length);
    if (view === undefined) return undefined;
    pieces.push(view);
  }
  return new ResidentRows(pieces, shards.rowBytes, shards.type, type, { path, member });
}

interface MappedField {
  readonly handle: ArrayHandle;
  readonly shards: ShardList;
  readonly type: ElementType;
  readonly resident: ResidentRows | undefined;
}

/** Where an array is on disk: its `.npy` begins at `start`. */
interface FilePlace {
  readonly path: string;
  readonly start: number;
}

class MappedShards implements MappedFields {
  readonly #fields: ReadonlyMap<string, MappedField>;
  readonly #close: () => Promise<void>;

  constructor(fields: ReadonlyMap<string, MappedField>, close: () => Promise<void>) {
    this.#fields = fields;
    this.#close = close;
  }

  resident(name: string): ResidentRows | undefined {
    return this.#field(name).resident;
  }

  gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const { shards, type } = this.#field(name);
    return gatherRows(shards, rows, type, into, options);
  }

  rowsBehind(rows: Float64Array): Float64Array {
    return rows;
  }

  check(): void {
    for (const { handle, shards } of this.#fields.values()) {
      handle.checkOpen();
      for (const { source } of shards.arrays) checkUnchanged(source);
    }
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

/** Where each shard is on disk, `undefined` for one that is in memory; `undefined` where one is neither. */
function placesOf({ shards, path, dataPosition, dataOffset }: ArrayHandle): (FilePlace | undefined)[] | undefined {
  const [only, ...others] = shards.arrays;
  if (only === undefined) return undefined;
  const places: (FilePlace | undefined)[] = [];
  for (const array of shards.arrays) {
    const { source } = array;
    if (source instanceof FileSource && source.path !== undefined) places.push({ path: source.path, start: 0 });
    else if (isInMemory(array)) places.push(undefined);
    else break;
  }
  if (places.length === shards.arrays.length) return places;
  // A stored member lies in its archive as it is.
  const isStored = others.length === 0 && only.source.version !== undefined;
  if (!isStored || path === undefined || dataPosition === undefined) return undefined;
  return [{ path, start: dataPosition - dataOffset }];
}

/** Whether all rows can be looked at where they lie; a mapped file of more than one window shows parts alone. */
function isInMemory(array: StoredArray): boolean {
  try {
    return array.viewRows(0, array.length) !== undefined;
  } catch (error) {
    if (isNpyError(error) && error.code === "ERR_MAP_TOO_LARGE") return false;
    throw error;
  }
}
