import { createHash } from "node:crypto";
import type { ByteReadOptions, DTypeLike, ElementType } from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import { bytesCaster, castRows, isReadAnew } from "./cast-rows.ts";
import { gatherRows } from "./gather-rows.ts";
import { isForkable } from "./inflated-source.ts";
import { mapFields } from "./mapped-fields.ts";
import { located } from "./read-rows.ts";
import type { MappedFields, RowFields } from "./row-fields.ts";
import type { RowReader } from "./row-reader.ts";

/** An opened array as a field, and the type it is delivered as. */
export interface HandleField {
  /** Where the rows are. */
  readonly handle: ArrayHandle;
  /** Type of the elements as they are delivered. @defaultValue the type of the array */
  readonly as?: DTypeLike | undefined;
}

/** Sources that say that ranges this far apart, in bytes, are better read as one are behind a network. */
const REMOTE_GAP_BYTES = 16 << 10;

/** Opened arrays of the same number of rows as the fields of a dataset. */
export class HandleFields implements RowFields {
  readonly length: number;
  readonly names: readonly string[];
  readonly #handles: ReadonlyMap<string, ArrayHandle>;
  /** Rows as they are delivered. */
  readonly #rows: ReadonlyMap<string, RowReader>;
  #fingerprint: string | undefined;

  /** @throws TypeError where a field cannot be cast to the type it is to be delivered as. */
  constructor(fields: ReadonlyMap<string, HandleField>) {
    this.names = [...fields.keys()];
    this.length = [...fields.values()][0]?.handle.length ?? 0;
    this.#handles = new Map([...fields].map(([name, { handle }]) => [name, handle]));
    this.#rows = new Map([...fields].map(([name, { handle, as }]) => [name, castRows(handle.shards, as)]));
  }

  get fingerprint(): string {
    // When it is asked for, since of an array in memory it takes reading the whole.
    if (this.#fingerprint === undefined) {
      const state = [...this.#handles].map(([name, { fingerprint }]) => [name, fingerprint, this.type(name).descr]);
      this.#fingerprint = createHash("sha256").update(JSON.stringify(state)).digest("hex");
    }
    return this.#fingerprint;
  }

  type(name: string): ElementType {
    return this.#reader(name).type;
  }

  rowShape(name: string): readonly number[] {
    return this.#handle(name).rowShape;
  }

  rowBytes(name: string): number {
    return this.#reader(name).rowBytes;
  }

  isRandomAccess(name: string): boolean {
    return !this.#handle(name).shards.arrays.some(({ source }) => isForkable(source));
  }

  isRemote(name: string): boolean {
    return this.#handle(name).shards.arrays.some(({ source }) => (source.gapBytes ?? 0) >= REMOTE_GAP_BYTES);
  }

  async readRows(name: string, start: number, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const handle = this.#handle(name);
    handle.checkOpen();
    try {
      await this.#reader(name).readRows(into, start, options);
    } catch (error) {
      throw located(error, handle);
    }
  }

  readRowsSync(name: string, start: number, into: Uint8Array): boolean {
    const handle = this.#handle(name);
    handle.checkOpen();
    const { shards } = handle;
    const type = this.type(name);
    try {
      if (type === shards.type || isReadAnew(shards.type, type)) return shards.readRowsSync(into, start);
      const rows = into.length / this.rowBytes(name);
      const bytes = new Uint8Array(rows * shards.rowBytes);
      if (!shards.readRowsSync(bytes, start)) return false;
      bytesCaster(shards.type, bytes, type, into)(0, 0, bytes.length / shards.type.itemSize);
      return true;
    } catch (error) {
      throw located(error, handle);
    }
  }

  async gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const handle = this.#handle(name);
    handle.checkOpen();
    try {
      await gatherRows(handle.shards, rows, this.type(name), into, options);
    } catch (error) {
      throw located(error, handle);
    }
  }

  map(isMapped: boolean): MappedFields | undefined {
    const fields = this.names.map((name) => [name, { handle: this.#handle(name), type: this.type(name) }] as const);
    return mapFields(new Map(fields), isMapped);
  }

  #handle(name: string): ArrayHandle {
    const handle = this.#handles.get(name);
    if (handle === undefined) throw new TypeError(`there is no field ${name}; there are ${this.names.join(", ")}`);
    return handle;
  }

  #reader(name: string): RowReader {
    const reader = this.#rows.get(name);
    if (reader === undefined) throw new TypeError(`there is no field ${name}; there are ${this.names.join(", ")}`);
    return reader;
  }
}
