import { BLOCK_TABLE_MEMBER, blockTableField, formatLongTables } from "./block-table.ts";
import type { ZipChecksum } from "./zip-engine.ts";
import { encodeMemberName } from "./zip-name.ts";
import {
  alignmentPadding,
  formatCentralHeader,
  formatDataDescriptor,
  formatEndRecords,
  formatLocalHeader,
  type MemberRecord,
} from "./zip-records.ts";

/** Multiple in the archive at which the data of a stored array begins: 64 for vectors, `'page'` is 4096. */
export type ZipAlignment = 64 | "page";

/** Where a member lies, fixed before its content is known. */
export interface ZipPlace {
  /** Name as it is written. */
  readonly name: Uint8Array;
  /** Whether the name is UTF-8. */
  readonly utf8: boolean;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  /** Position in the archive of the local header. */
  readonly offset: number;
  /** Bytes that the local header is lengthened by. */
  readonly padding: number;
  /** Position in the archive of the content. */
  readonly start: number;
}

/** What is known of a member's content once it is whole. */
export interface ZipContent {
  /** CRC-32 of what it inflates to. */
  readonly crc32: number;
  /** Bytes in the archive. */
  readonly compressedSize: number;
  /** Bytes when inflated. */
  readonly byteLength: number;
  /** Its block table, from `formatBlockTable`, where there is one. */
  readonly table?: Uint8Array | undefined;
}

/** What an archive to be added to has already. */
export interface ZipLayoutBase {
  /** Position at which it goes on: that of its old directory. */
  readonly offset: number;
  /** Entries of its old directory, as they are. */
  readonly entries: readonly Uint8Array[];
  /** Tables that no extra field holds, by the name of their member. */
  readonly longTables: ReadonlyMap<string, Uint8Array>;
  /** Comment of the archive. */
  readonly comment: Uint8Array;
}

/** Lays the members of a ZIP archive out one after another and makes its directory; the bytes go where the caller says. */
export class ZipLayout {
  readonly #alignment: number;
  readonly #entries: Uint8Array[];
  readonly #longTables: (readonly [name: Uint8Array, table: Uint8Array])[];
  readonly #comment: Uint8Array | undefined;
  #offset: number;

  /**
   * @param base - What is there already. @defaultValue an empty archive
   * @throws RangeError for an alignment there is not.
   */
  constructor(align: ZipAlignment = 64, base?: ZipLayoutBase) {
    this.#alignment = align === "page" ? 4096 : align;
    if (this.#alignment !== 64 && this.#alignment !== 4096) {
      throw new RangeError(`align is 64 or "page", not ${String(align)}`);
    }
    this.#offset = base?.offset ?? 0;
    this.#entries = [...(base?.entries ?? [])];
    this.#longTables = Array.from(base?.longTables ?? [], ([name, table]) => [encodeMemberName(name).bytes, table]);
    this.#comment = base?.comment;
  }

  /** Position in the archive of the next member. */
  get offset(): number {
    return this.#offset;
  }

  /**
   * Places the next member; `add` or `addDescribed` says what became of it before another one is placed.
   *
   * @param name - As stored, `features.npy`.
   * @param dataOffset - Bytes of content in front of what is aligned in a stored member. @defaultValue nothing is aligned
   * @throws TypeError for a name with a NUL or of more than 65,535 bytes.
   */
  place(name: string, method: 0 | 8, dataOffset?: number): ZipPlace {
    const { bytes, utf8 } = encodeMemberName(name);
    const offset = this.#offset;
    const isAligned = method === 0 && dataOffset !== undefined;
    const padding = isAligned ? alignmentPadding(offset, bytes.length, dataOffset, this.#alignment) : 0;
    const place = { name: bytes, utf8, method, offset, padding, start: 0 };
    return { ...place, start: offset + localHeader(place).length };
  }

  /** Takes a member into the directory. @returns Its local header, for `place.offset`. */
  add(place: ZipPlace, content: ZipContent): Uint8Array {
    const record = this.#enter(place, content, false);
    this.#offset = place.start + content.compressedSize;
    return formatLocalHeader(record, place.padding);
  }

  /** Gives the local header of a member whose content comes first: a data descriptor tells of it. */
  describedHeader(place: ZipPlace): Uint8Array {
    return localHeader(place);
  }

  /** Takes a member with a {@link describedHeader} into the directory. @returns Its data descriptor, for behind it. */
  addDescribed(place: ZipPlace, content: ZipContent): Uint8Array {
    const descriptor = formatDataDescriptor(this.#enter(place, content, true));
    this.#offset = place.start + content.compressedSize + descriptor.length;
    return descriptor;
  }

  /**
   * Gives what follows the last member: tables that no extra field holds, the directory, the end records.
   *
   * @param checksum - For the tables' own.
   */
  end(checksum: ZipChecksum): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    if (this.#longTables.length > 0) {
      const tables = formatLongTables(this.#longTables);
      const content = { crc32: checksum.crc32(tables), compressedSize: tables.length, byteLength: tables.length };
      pieces.push(this.add(this.place(BLOCK_TABLE_MEMBER, 0), content), tables);
    }
    const size = this.#entries.reduce((total, { length }) => total + length, 0);
    pieces.push(...this.#entries, formatEndRecords(this.#entries.length, size, this.#offset, this.#comment));
    return pieces;
  }

  #enter(place: ZipPlace, content: ZipContent, hasDescriptor: boolean): MemberRecord {
    const { name, utf8, method, offset } = place;
    const { table, ...known } = content;
    const extra = table === undefined ? undefined : blockTableField(table);
    if (table !== undefined && extra === undefined) this.#longTables.push([name, table]);
    const member = { name, utf8, method, offset, hasDescriptor, ...known };
    const record = extra === undefined ? member : { ...member, extra };
    this.#entries.push(formatCentralHeader(record));
    return record;
  }
}

/** The local header of a member of which nothing is known yet. */
function localHeader({ name, utf8, method, offset, padding }: Omit<ZipPlace, "start">): Uint8Array {
  const unknown = { crc32: 0, compressedSize: 0, byteLength: 0, hasDescriptor: true };
  return formatLocalHeader({ name, utf8, method, offset, ...unknown }, padding);
}
