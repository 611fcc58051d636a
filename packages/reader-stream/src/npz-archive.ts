import {
  type ByteReadOptions,
  type ByteSource,
  checkInflatedSize,
  isNpyError,
  type LimitOptions,
  locateMember,
  memberArrayName,
  NpyError,
  parseBlockTable,
  readFromSource,
  readZipDirectory,
  type ZipMember,
} from "@npystream/codec";
import { ArrayHandle, type ArrayOrigin } from "./array-handle.ts";
import { blockSource } from "./block-source.ts";
import { checkedSource } from "./checked-source.ts";
import { inflatedSource, isForkable } from "./inflated-source.ts";
import { regionSource } from "./region-source.ts";
import { ShardList } from "./shard-list.ts";
import { StoredArray } from "./stored-array.ts";
import { unpackedSource } from "./unpacked-source.ts";

/** One file of an archive. */
export interface NpzMember {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  /** How it is compressed; what is `unsupported` or encrypted is listed and not opened. */
  readonly method: "stored" | "deflated" | "unsupported";
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes of content, header included. */
  readonly byteLength: number;
  /** CRC-32 of the content. */
  readonly crc32: number;
}

/** An array of an archive, opened for a handle. @internal */
export interface OpenedMember {
  readonly array: StoredArray;
  readonly origin: ArrayOrigin;
  readonly dataPosition: number | undefined;
  /** Throws once the archive has been closed. */
  readonly checkOpen: () => void;
  readonly close: () => Promise<void>;
}

/** An opened `.npz`: its directory is known, its arrays are read when they are asked for. Made by `openNpz`. */
export class NpzArchive implements AsyncDisposable {
  /** Names of the arrays, without `.npy`, in the order of the directory: of the members that end in `.npy`. */
  readonly names: readonly string[];
  /** Every member, also those that are not arrays. */
  readonly members: readonly NpzMember[];
  /** Path of the file, where it was opened by one. */
  readonly path: string | undefined;
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipMember>;
  readonly #limits: LimitOptions;
  /** Contents of the members that are open. */
  readonly #open = new Set<ByteSource>();
  #closing: Promise<void> | undefined;

  private constructor(
    source: ByteSource,
    entries: readonly ZipMember[],
    path: string | undefined,
    limits: LimitOptions,
  ) {
    this.path = path;
    this.#source = source;
    this.#limits = limits;
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.names = entries.filter(({ name }) => name.endsWith(".npy")).map(({ name }) => memberArrayName(name));
    this.members = entries.map(({ name, method, compressedSize, byteLength, crc32 }) => ({
      name,
      method: method === 0 ? "stored" : method === 8 ? "deflated" : "unsupported",
      compressedSize,
      byteLength,
      crc32,
    }));
  }

  /** Reads the directory of an archive. @internal */
  static async open(
    source: ByteSource,
    path: string | undefined,
    options: LimitOptions & ByteReadOptions,
  ): Promise<NpzArchive> {
    const entries = await readFromSource(readZipDirectory(source.byteLength, options), source, options);
    return new NpzArchive(source, entries, path, options);
  }

  /**
   * Opens an array by its name, with or without `.npy`; of `x` and `x.npy` the name as stored goes first, as in NumPy.
   *
   * Closing the handle leaves the archive open. Reading a member whole checks its CRC-32; a part of it does not.
   *
   * @throws NpyError `ERR_NPZ_MEMBER` where there is none of that name, those of `parseNpyHeader`, and `ERR_NPZ_METHOD`,
   *   `ERR_NPZ_ENCRYPTED`, `ERR_NPZ_SIZE`, `ERR_NPZ_DEFLATE` or `ERR_NPZ_CRC` where the first bytes show it. TypeError once
   *   the archive is closed.
   */
  async open(name: string, options: ByteReadOptions = {}): Promise<ArrayHandle> {
    const { array, origin, ...opened } = await this.openMember(name, options, async () => undefined);
    return new ArrayHandle({ shards: new ShardList([array], [origin]), ...origin, ...opened });
  }

  /** Closes the archive; its open arrays can no longer be read. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  /** Closes the archive, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Opens an array for a handle, or as a shard of one; closing it ends with `closeBelow`. @internal */
  async openMember(name: string, options: ByteReadOptions, closeBelow: () => Promise<void>): Promise<OpenedMember> {
    const entry = this.#entries.get(name) ?? this.#entries.get(`${name}.npy`);
    const member = memberArrayName(entry?.name ?? name);
    this.#checkOpen();
    try {
      if (entry === undefined) {
        throw new NpyError("ERR_NPZ_MEMBER", `the archive has no such array; it has ${this.#listNames()}`);
      }
      const { source, position } = await this.#content(entry, options);
      const stored = await StoredArray.open(source, { ...this.#limits, ...options });
      // Rows of a Fortran array are read from its start to its end, window after window.
      const isUnpacked = isForkable(source) && !stored.isRowMajor;
      const array = isUnpacked ? stored.withSource(() => unpackedSource(source)) : stored;
      const declared = array.header.dataOffset + array.header.byteLength;
      if (declared < source.byteLength) {
        throw new NpyError(
          "ERR_NPZ_SIZE",
          `the member holds ${source.byteLength} bytes and its header declares ${declared}`,
        );
      }
      this.#checkOpen();
      this.#open.add(array.source);
      return {
        array,
        origin: { path: this.path, member },
        dataPosition: position === undefined ? undefined : position + array.header.dataOffset,
        checkOpen: () => this.#checkOpen(),
        close: async () => {
          this.#open.delete(array.source);
          await array.source.close();
          await closeBelow();
        },
      };
    } catch (error) {
      throw isNpyError(error) ? error.locate({ path: this.path, member }) : error;
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new TypeError("the archive has been closed");
  }

  async #closeAll(): Promise<void> {
    const closings = [...this.#open].map((source) => source.close());
    // All at once, so that no read under way is waited for: it fails.
    const closed = await Promise.allSettled([...closings, this.#source.close()]);
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  async #content(
    entry: ZipMember,
    options: ByteReadOptions,
  ): Promise<{ source: ByteSource; position: number | undefined }> {
    checkInflatedSize(entry);
    const { method, compressedSize, byteLength, crc32 } = entry;
    const start = await readFromSource(locateMember(entry, this.#source.byteLength), this.#source, options);
    const content =
      method === 0
        ? regionSource(this.#source, start, byteLength)
        : this.#inflated(entry, start, compressedSize, byteLength);
    return { source: checkedSource(content, crc32), position: method === 0 ? start : undefined };
  }

  #inflated({ blockTable }: ZipMember, start: number, compressedSize: number, byteLength: number): ByteSource {
    const table = blockTable && parseBlockTable(blockTable, byteLength, compressedSize);
    if (table === undefined) return inflatedSource(this.#source, start, compressedSize, byteLength);
    return blockSource(this.#source, { start, byteLength, table });
  }

  #listNames(): string {
    const shown = this.names.slice(0, 10).map((name) => JSON.stringify(name));
    if (shown.length === 0) return "none";
    return shown.length < this.names.length ? `${shown.join(", ")}, ...` : shown.join(", ");
  }
}
