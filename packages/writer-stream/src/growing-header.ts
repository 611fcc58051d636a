import { decodeLatin1, NPY_PREFIX_BYTES, NpyError, type NpyHeader, parseNpyHeader } from "@npystream/codec";

/** Bytes of a header to be written over the old ones. */
export interface HeaderPatch {
  /** Position in the file. */
  readonly position: number;
  /** The bytes there from now on. */
  readonly bytes: Uint8Array;
  /** The bytes there until now. */
  readonly old: Uint8Array;
}

/** How to go on where a file cannot grow. */
const WAY_OUT = "save it anew (np.save(path, np.load(path)), or writeNpy), which leaves room for 21 digits";
/** The number of rows behind the key: its colon, the bracket and the first number, `6L` of Python 2 too. */
const ROWS = /\s*:\s*\(\s*([0-9][0-9A-Za-z_]*)/y;

/**
 * The header of a file that gets more rows. Whatever program wrote it, its text stays as it is but for the number of
 * rows and the spaces at the end, which become fewer by the digits that number becomes longer.
 */
export class GrowingHeader {
  /** What the file says now. */
  readonly header: NpyHeader;
  /** Most rows whose digits fit. */
  readonly mostRows: number;
  /** The header's bytes, from the magic to the data. */
  readonly bytes: Uint8Array;
  /** The number of rows as a range of bytes, and where the spaces begin that may go. */
  readonly #start: number;
  readonly #end: number;
  readonly #spaces: number;

  /**
   * @param bytes - The file from its start to its data.
   * @throws NpyError those of `parseNpyHeader`; `ERR_WRITE_APPEND` for an array without rows, or whose rows do not follow
   *   each other, and a header in which the number of rows is not found.
   */
  constructor(bytes: Uint8Array) {
    const header = parseNpyHeader(bytes);
    if (header.order === "F" && header.shape.length > 1) {
      throw new NpyError(
        "ERR_WRITE_APPEND",
        "the file is in Fortran order, where rows do not follow each other: save it in C order (np.ascontiguousarray)",
      );
    }
    const text = decodeLatin1(bytes.subarray(0, header.dataOffset));
    const [start, end] = findRows(text);
    if (header.shape.length === 0 || start === end) {
      throw new NpyError("ERR_WRITE_APPEND", "the file holds a single value or no shape to change: it has no rows");
    }
    this.header = header;
    // Not slice, which of a Buffer is a view.
    this.bytes = new Uint8Array(bytes.subarray(0, header.dataOffset));
    this.#start = start;
    this.#end = end;
    this.#spaces = text.replace(/\n$/, "").trimEnd().length;
    const digits = text.replace(/\n$/, "").length - this.#spaces + (end - start);
    this.mostRows = Math.min(10 ** Math.min(digits, 16) - 1, Number.MAX_SAFE_INTEGER);
  }

  /**
   * What to write for `rows` rows: the bytes that differ, all of them from the first to the last.
   *
   * @throws NpyError `ERR_WRITE_APPEND` where there is no room for their digits.
   */
  patch(rows: number): HeaderPatch | undefined {
    if (rows > this.mostRows) throw this.noRoom();
    const old = this.bytes;
    const bytes = old.slice();
    const number = new TextEncoder().encode(String(rows));
    bytes.fill(0x20, this.#start, bytes.at(-1) === 0x0a ? bytes.length - 1 : bytes.length);
    bytes.set(number, this.#start);
    bytes.set(old.subarray(this.#end, this.#spaces), this.#start + number.length);
    this.#check(bytes, rows);
    const differs = (byte: number, index: number): boolean => byte !== old[index];
    const first = bytes.findIndex(differs);
    const last = bytes.findLastIndex(differs);
    if (first < 0) return undefined;
    return { position: first, bytes: bytes.subarray(first, last + 1), old: old.subarray(first, last + 1) };
  }

  /** Says that the header is full. */
  noRoom(): NpyError {
    const message = `the header has room for the digits of ${this.mostRows} rows at most: ${WAY_OUT}`;
    return new NpyError("ERR_WRITE_APPEND", message);
  }

  /** Reads back what would be written: a text in which something else was found and changed is not. */
  #check(bytes: Uint8Array, rows: number): void {
    const { header } = this;
    const found = parseNpyHeader(bytes);
    const told = JSON.stringify([found.descr, found.order, found.dataOffset, found.shape]);
    if (told !== JSON.stringify([header.descr, header.order, header.dataOffset, [rows, ...header.shape.slice(1)]])) {
      throw new NpyError("ERR_WRITE_APPEND", `the number of rows in the header cannot be changed in place: ${WAY_OUT}`);
    }
  }
}

/** Finds the first number of the shape in the text of a header, outside of strings; an empty range where there is none. */
function findRows(text: string): readonly [start: number, end: number] {
  let depth = 0;
  for (let at = NPY_PREFIX_BYTES - 2; at < text.length; at++) {
    const character = text.charAt(at);
    if ("{[(".includes(character)) depth++;
    else if ("}])".includes(character)) depth--;
    else if (character === "'" || character === '"') {
      const start = at + 1;
      for (at = start; at < text.length && text.charAt(at) !== character; at++) if (text.charAt(at) === "\\") at++;
      ROWS.lastIndex = at + 1;
      const [match, number] = (depth === 1 && text.slice(start, at) === "shape" && ROWS.exec(text)) || [];
      if (match !== undefined && number !== undefined) return [ROWS.lastIndex - number.length, ROWS.lastIndex];
    }
  }
  return [0, 0];
}
