import type { ByteOrder, ByteSwap } from "./byte-order.ts";
import { formatDescr, formatTuple, readDescr } from "./descr-text.ts";
import type { DType } from "./dtype.ts";
import type { Descr, DTypeLike, ElementType } from "./element-type.ts";
import { decodeLatin1 } from "./latin1.ts";
import { defaultLimits, type LimitOptions, type Limits, limitsOf } from "./limits.ts";
import { NpyError } from "./npy-error.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { elementType, parseDescr } from "./parse-descr.ts";
import { type PlainHeader, parsePlainHeader } from "./plain-header.ts";
import { PrefixCache } from "./prefix-cache.ts";
import { PythonTuple, type PythonValue, parsePythonLiteral } from "./python-literal.ts";
import { pythonType } from "./python-type.ts";
import { checkShape, type Order, shapeSize } from "./shape.ts";

/** Version of the `.npy` format: 1.0 has 2 bytes of header length, 2.0 has 4, 3.0 is UTF-8 beside that (NEP 1). */
export type NpyVersion = "1.0" | "2.0" | "3.0";

/** The parsed prefix of a `.npy`. */
export interface NpyHeader<D extends DType = DType> {
  /** Version of the format. */
  readonly version: NpyVersion;
  /** The element type as the file has it, byte order included: `>f4`, or a list of fields. */
  readonly descr: Descr;
  /** What one element is, in the machine's byte order. */
  readonly type: ElementType<D>;
  /** Name of the element type. */
  readonly dtype: D;
  /** Order of the bytes on disk; `mixed` where fields of a struct differ. */
  readonly byteOrder: ByteOrder | "mixed";
  /** Parts of every element to reverse for the machine's order. */
  readonly swaps: readonly ByteSwap[];
  /** Order of the elements. */
  readonly order: Order;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** Number of rows: the extent of the first axis; 1 for a 0-d array. */
  readonly length: number;
  /** Number of elements. */
  readonly size: number;
  /** Bytes an element. */
  readonly itemSize: number;
  /** Bytes of data behind the header. */
  readonly byteLength: number;
  /** Position of the first data byte, counted from the magic. */
  readonly dataOffset: number;
}

/** What a header to be written says. */
export interface NpyHeaderSpec {
  /** What one element is. */
  readonly dtype: DTypeLike;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** @defaultValue `'C'` */
  readonly order?: Order;
}

/** Bytes from the magic to the header text at most: 6 of magic, 2 of version, 4 of length (NEP 1). */
export const NPY_PREFIX_BYTES = 12;

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** NumPy's ARRAY_ALIGN: data begins at a multiple of 64. */
const ALIGNMENT = 64;
/** NumPy's GROWTH_AXIS_MAX_DIGITS: digits of 8 * 2^64 - 1, kept free for the growing axis. */
const GROWTH_AXIS_DIGITS = 21;
/** Versions in the order in which NumPy tries them, each with the bytes of its header length. */
const LATIN1_VERSIONS = [
  [1, 2],
  [2, 4],
] as const;
const UTF8_VERSIONS = [[3, 4]] as const;
/** What a header must hold, and no more. */
const KEYS: readonly string[] = ["descr", "fortran_order", "shape"];

const lastParsed = new PrefixCache<NpyHeader>();

/** Tells whether `bytes` begin as a `.npy` does. */
export function isNpy(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads from the first 12 bytes (10 do for version 1.0) where the data begins.
 *
 * @throws NpyError `ERR_NPY_MAGIC`, `ERR_NPY_VERSION`, `ERR_LIMIT_HEADER`, or `ERR_NPY_TRUNCATED` for too few bytes.
 */
export function npyDataOffset(prefix: Uint8Array, options?: LimitOptions): number {
  return readPrefix(prefix, limitsOf("npyDataOffset", options)).dataOffset;
}

/**
 * Parses the header of a `.npy`; bytes behind it are not looked at.
 *
 * @param bytes - The file from its start, at least as far as its data begins.
 * @throws NpyError `ERR_NPY_MAGIC`, `ERR_NPY_VERSION`, `ERR_NPY_HEADER`, `ERR_NPY_DTYPE`, `ERR_NPY_OBJECT`,
 *   `ERR_NPY_SHAPE`, `ERR_NPY_TRUNCATED`, `ERR_LIMIT_HEADER`, `ERR_LIMIT_DEPTH`, `ERR_LIMIT_RANK`.
 */
export function parseNpyHeader(bytes: Uint8Array, options?: LimitOptions): NpyHeader {
  const limits = limitsOf("parseNpyHeader", options);
  // Files of one folder mostly have one header: measured, 0.1 us where it is known and 5 us where it is decoded.
  const known = lastParsed.find(bytes, limits);
  if (known !== undefined) return known;
  const { version, textOffset, dataOffset } = readPrefix(bytes, limits);
  if (bytes.length < dataOffset) {
    throw new NpyError("ERR_NPY_TRUNCATED", `the header is ${dataOffset} bytes long and ${bytes.length} are there`, {
      offset: bytes.length,
    });
  }
  const text = decodeText(bytes.subarray(textOffset, dataOffset), version);
  const header = parseText(text, version, dataOffset, limits);
  lastParsed.add(bytes, dataOffset, limits, header);
  return header;
}

/**
 * Writes the header that NumPy writes for an array in the machine's byte order, byte for byte: keys sorted, room for
 * the growing axis, data at a multiple of 64 bytes, the lowest version that holds the text.
 *
 * @throws NpyError `ERR_NPY_SHAPE` for a shape that no array has, `ERR_LIMIT_RANK` past 64 axes, `ERR_NPY_DTYPE` or
 *   `ERR_NPY_OBJECT` for a type that is not written, `ERR_LIMIT_HEADER` for fields that no version holds.
 * @throws TypeError for an order or an option there is not.
 */
export function formatNpyHeader(spec: NpyHeaderSpec): Uint8Array {
  checkOptionKeys("formatNpyHeader", spec, ["dtype", "shape", "order"]);
  const { shape, order = "C" } = spec;
  if (order !== "C" && order !== "F") throw new TypeError(`order is "C" or "F", not ${String(order)}`);
  const { itemSize, descr } = elementType(spec.dtype);
  shapeSize(shape, itemSize);
  if (shape.length > defaultLimits.rank) {
    throw new NpyError(
      "ERR_LIMIT_RANK",
      `an array of ${shape.length} axes is read by no NumPy: it has ${defaultLimits.rank} at most`,
    );
  }
  const growing = order === "C" ? shape[0] : shape.at(-1);
  const room = growing === undefined ? 0 : GROWTH_AXIS_DIGITS - String(growing).length;
  const text = `{'descr': ${formatDescr(descr)}, 'fortran_order': ${order === "F" ? "True" : "False"}, 'shape': ${formatTuple(shape)}, }`;
  const dict = `${text}${" ".repeat(room)}`;
  const isLatin1 = !/[\u0100-\uffff]/.test(dict);
  const utf8 = isLatin1 ? undefined : new TextEncoder().encode(dict);
  const dictBytes = utf8?.length ?? dict.length;
  for (const [major, lengthBytes] of isLatin1 ? LATIN1_VERSIONS : UTF8_VERSIONS) {
    const before = MAGIC.length + 2 + lengthBytes;
    // At least one space before the newline, as NumPy pads: 64 where the text ends on a multiple already.
    const padding = ALIGNMENT - ((before + dictBytes + 1) % ALIGNMENT);
    const textBytes = dictBytes + padding + 1;
    if (textBytes >= 2 ** (8 * lengthBytes)) continue;
    const header = new Uint8Array(before + textBytes).fill(0x20);
    header.set(MAGIC);
    header[6] = major;
    header[7] = 0;
    for (let i = 0; i < lengthBytes; i++) header[8 + i] = textBytes >>> (8 * i);
    if (utf8 === undefined) for (let i = 0; i < dict.length; i++) header[before + i] = dict.charCodeAt(i);
    else header.set(utf8, before);
    header[header.length - 1] = 0x0a;
    return header;
  }
  throw new NpyError("ERR_LIMIT_HEADER", "the header is too long for any version of the format");
}

/** The header that a text makes, frozen, since it may be given to several callers. */
function parseText(text: string, version: NpyVersion, dataOffset: number, limits: Limits): NpyHeader {
  const fields = parseFields(text, version, limits);
  const { type, byteOrder, swaps } = parseDescr(fields.descr);
  const outer = checkShape(fields.shape, limits);
  if (fields.subShape.length > 0 && fields.fortranOrder && outer.length > 1) {
    throw new NpyError("ERR_NPY_DTYPE", "a Fortran array of sub-arrays has no strides of one element");
  }
  // A sub-array lies in C order whatever the order of the array, which of one axis is both.
  const order = fields.fortranOrder && fields.subShape.length === 0 ? "F" : "C";
  const shape = Object.freeze(
    fields.subShape.length === 0 ? outer : checkShape([...fields.shape, ...fields.subShape], limits),
  );
  const { dtype, itemSize } = type;
  const size = shapeSize(shape, itemSize);
  return Object.freeze({
    version,
    descr: fields.descr,
    type,
    dtype,
    byteOrder,
    swaps,
    order,
    shape,
    length: shape[0] ?? 1,
    size,
    itemSize,
    byteLength: size * itemSize,
    dataOffset,
  });
}

interface HeaderFields extends Omit<PlainHeader, "descr"> {
  readonly descr: Descr;
}

function readPrefix(
  bytes: Uint8Array,
  limits: Limits,
): { version: NpyVersion; textOffset: number; dataOffset: number } {
  const present = Math.min(bytes.length, MAGIC.length);
  for (let i = 0; i < present; i++) {
    if (bytes[i] !== MAGIC[i]) throw new NpyError("ERR_NPY_MAGIC", describeMagic(bytes), { offset: 0 });
  }
  const major = bytes[6];
  const minor = bytes[7];
  if (major !== undefined && minor !== undefined && (major < 1 || major > 3 || minor !== 0)) {
    throw new NpyError("ERR_NPY_VERSION", `format version ${major}.${minor} is not one of 1.0, 2.0, 3.0`, {
      offset: 6,
    });
  }
  const textOffset = major === 1 ? 10 : NPY_PREFIX_BYTES;
  if (major === undefined || minor === undefined || bytes.length < textOffset) {
    throw new NpyError(
      "ERR_NPY_TRUNCATED",
      bytes.length === 0
        ? "the file is empty"
        : `the file ends after ${bytes.length} bytes, inside the first ${textOffset}`,
      { offset: bytes.length },
    );
  }
  let textBytes = 0;
  for (let i = textOffset - 1; i >= 8; i--) textBytes = textBytes * 256 + (bytes[i] as number);
  if (textBytes > limits.headerBytes) {
    throw new NpyError(
      "ERR_LIMIT_HEADER",
      `the header is ${textBytes} bytes long, the limit is ${limits.headerBytes}`,
      { offset: 8 },
    );
  }
  const version = major === 1 ? "1.0" : major === 2 ? "2.0" : "3.0";
  return { version, textOffset, dataOffset: textOffset + textBytes };
}

function describeMagic(bytes: Uint8Array): string {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  return isZip
    ? "this is a ZIP archive and not a .npy file: an .npz is opened as one, or with the name of a member"
    : "this is not a .npy file: its first bytes are not \\x93NUMPY";
}

function decodeText(bytes: Uint8Array, version: NpyVersion): string {
  if (version === "3.0") {
    try {
      // Python does not take a byte order mark off either.
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new NpyError("ERR_NPY_HEADER", "the header is not valid UTF-8", { cause });
    }
  }
  // Versions 1.0 and 2.0 are latin-1; TextDecoder's "latin1" is windows-1252, which differs in 0x80 to 0x9f.
  return decodeLatin1(bytes);
}

function parseFields(text: string, version: NpyVersion, limits: Limits): HeaderFields {
  const plain = parsePlainHeader(text);
  if (plain !== undefined && limits.depth > 1) return plain;
  const value = parsePythonLiteral(text, { depth: limits.depth, python2: version !== "3.0" });
  if (!(value instanceof Map)) throw new NpyError("ERR_NPY_HEADER", `the header is a dict, not ${pythonType(value)}`);
  for (const key of KEYS) {
    if (!value.has(key)) throw new NpyError("ERR_NPY_HEADER", `the header lacks ${key}`);
  }
  const odd = [...value.keys()].find((key) => !KEYS.includes(key));
  if (odd !== undefined) {
    throw new NpyError("ERR_NPY_HEADER", `the header has a key ${JSON.stringify(odd.slice(0, 80))} that no array has`);
  }
  const fortranOrder = value.get("fortran_order");
  if (typeof fortranOrder !== "boolean") {
    throw new NpyError("ERR_NPY_HEADER", `fortran_order is True or False, not ${pythonType(fortranOrder)}`);
  }
  const { descr, subShape } = readTopDescr(value.get("descr"));
  return { descr, fortranOrder, shape: readExtents(value.get("shape")), subShape };
}

/** A sub-array at the top, `('<f4', (3,))`, whose shape is appended to that of the array. */
function readTopDescr(value: PythonValue | undefined): { descr: Descr; subShape: bigint[] } {
  if (!(value instanceof PythonTuple)) return { descr: readDescr(value), subShape: [] };
  const [base, shape, ...others] = value.items;
  if (others.length > 0)
    throw new NpyError("ERR_NPY_DTYPE", `a sub-array in descr is a tuple of 2, not ${pythonType(value)}`);
  return { descr: readDescr(base), subShape: typeof shape === "bigint" ? [shape] : readExtents(shape) };
}

function readExtents(value: PythonValue | undefined): bigint[] {
  if (!(value instanceof PythonTuple))
    throw new NpyError("ERR_NPY_SHAPE", `shape is a tuple of int, not ${pythonType(value)}`);
  return value.items.map((item) => {
    if (typeof item !== "bigint") throw new NpyError("ERR_NPY_SHAPE", `an extent is an int, not ${pythonType(item)}`);
    return item;
  });
}
