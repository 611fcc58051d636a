import { NPY_PREFIX_BYTES, type NpyHeader, npyDataOffset, parseNpyHeader } from "@npystream/codec";

/** A header, and the arrays of a file that has it. */
export interface CachedHeader {
  /** Bytes of the file, by its header. */
  readonly fileBytes: number;
  /** Bytes of data. */
  readonly dataBytes: number;
  /** The one array of the file, by the empty text. */
  readonly arrays: ReadonlyMap<string, NpyHeader>;
}

/** Files of one folder mostly have one of a few headers, whose text is then looked up and not parsed: 0.1 for 8 us. */
const KEPT_HEADERS = 512;
/** Longer ones are no two files' own, and at a mebibyte each would fill the memory. */
const LONGEST_KEPT = 4096;

/** Parses headers of `.npy` files and shares the result between files whose headers are the same bytes. */
export class HeaderCache {
  readonly #headers = new Map<string, CachedHeader>();

  /**
   * Parses the header at the start of `bytes`; gives the length in bytes that it needs where `bytes` end before.
   *
   * @throws NpyError where the bytes are no header, as {@link parseNpyHeader} does.
   */
  parse(bytes: Uint8Array): CachedHeader | number {
    const dataOffset = npyDataOffset(bytes.subarray(0, NPY_PREFIX_BYTES));
    if (dataOffset > bytes.length) {
      return dataOffset;
    }
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, dataOffset).toString("latin1");
    const known = this.#headers.get(text);
    if (known !== undefined) {
      return known;
    }
    const parsed = parseNpyHeader(bytes.subarray(0, dataOffset));
    const header = {
      fileBytes: parsed.dataOffset + parsed.byteLength,
      dataBytes: parsed.byteLength,
      arrays: new Map([["", parsed]]),
    };
    if (this.#headers.size >= KEPT_HEADERS) {
      this.#headers.clear();
    }
    if (dataOffset <= LONGEST_KEPT) {
      this.#headers.set(text, header);
    }
    return header;
  }
}
