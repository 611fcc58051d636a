import { deflateSync, Inflate } from "fflate";
import { joinBytes } from "./join-bytes.ts";
import { NpyError } from "./npy-error.ts";

/** The checksum of a ZIP member. */
export interface ZipChecksum {
  /** CRC-32 (ISO 3309, as ZIP uses it), going on from `seed`. @defaultValue seed 0 */
  crc32(bytes: Uint8Array, seed?: number): number;
}

/** What reading an archive needs; Node packages pass `node:zlib`, which is faster than the portable one. */
export interface ZipInflater extends ZipChecksum {
  /** Inflates a raw deflate stream of exactly `byteLength` bytes. @throws NpyError `ERR_NPZ_DEFLATE`, `ERR_NPZ_SIZE` */
  inflate(bytes: Uint8Array, byteLength: number): Uint8Array;
  /** Inflates the first `length` bytes, fewer where the stream ends before. @throws NpyError `ERR_NPZ_DEFLATE` */
  inflateStart(bytes: Uint8Array, length: number): Uint8Array;
}

/** What writing an archive needs. */
export interface ZipDeflater extends ZipChecksum {
  /** Compresses to a whole deflate stream; `level` 0 to 9. */
  deflate(bytes: Uint8Array, level: number): Uint8Array;
  /**
   * Compresses a block that inflates alone and that others may follow: all but the last end with a full flush, at a whole
   * byte and without a final bit. An engine without it deflates every member in one piece, without a block table.
   *
   * @param level - 0 to 9.
   */
  deflateBlock?(bytes: Uint8Array, level: number, isLast: boolean): Uint8Array;
}

/** Compressed bytes given to the inflater at once where only the start is wanted: they make 1 MiB at most. */
const PIECE = 8 << 10;
const START_PIECE_BYTES = 1024;

/** Deflate at its best packs 258 bytes in 2 bits (RFC 1951 section 3.2.5), so nothing inflates by more than this. */
export const MAX_DEFLATE_RATIO = 1032;

/** The engine that runs everywhere: fflate, and a table of 8 x 256 words for the checksum. */
export const portableEngine: ZipInflater & ZipDeflater = {
  // No blocks: the flush of fflate 0.8.3 writes a broken block unless the stream happens to be at a whole byte.
  deflate: (bytes, level) => deflateSync(bytes, { level: deflateLevel(level) }),
  inflateStart(bytes, length) {
    const pieces: Uint8Array[] = [];
    let found = 0;
    const stream = new Inflate((piece) => {
      pieces.push(piece);
      found += piece.length;
    });
    try {
      // Little goes in at a time, so that little comes out past what is asked for.
      for (let at = 0; at < bytes.length && found < length; at += START_PIECE_BYTES) {
        stream.push(bytes.subarray(at, at + START_PIECE_BYTES), at + START_PIECE_BYTES >= bytes.length);
      }
    } catch (cause) {
      throw new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause });
    }
    return joinBytes(pieces).subarray(0, length);
  },
  inflate(bytes, byteLength) {
    const inflated = new Uint8Array(byteLength);
    let found = 0;
    const stream = new Inflate((piece) => {
      if (found + piece.length <= byteLength) inflated.set(piece, found);
      found += piece.length;
    });
    try {
      // Piece by piece, so that a stream that holds more than declared ends soon behind it.
      for (let at = 0; at < bytes.length && found <= byteLength; at += PIECE) {
        stream.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
      }
    } catch (cause) {
      throw new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause });
    }
    if (found !== byteLength) {
      const what = found > byteLength ? "more" : `${found}`;
      throw new NpyError("ERR_NPZ_SIZE", `the member declares ${byteLength} bytes and inflates to ${what}`);
    }
    return inflated;
  },
  crc32,
};

type DeflateLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

function deflateLevel(level: number): DeflateLevel {
  if (!Number.isInteger(level) || level < 0 || level > 9) throw new RangeError(`level is 0 to 9, not ${level}`);
  return level as DeflateLevel;
}

let tables: Uint32Array | undefined;

/** Slicing by 8: one table look-up a byte, 8 bytes a round. */
function crc32(bytes: Uint8Array, seed = 0): number {
  tables ??= makeTables();
  const table = tables;
  let crc = ~seed;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    crc =
      (table[1792 + (low & 255)] as number) ^
      (table[1536 + ((low >>> 8) & 255)] as number) ^
      (table[1280 + ((low >>> 16) & 255)] as number) ^
      (table[1024 + (low >>> 24)] as number) ^
      (table[768 + (bytes[i + 4] as number)] as number) ^
      (table[512 + (bytes[i + 5] as number)] as number) ^
      (table[256 + (bytes[i + 6] as number)] as number) ^
      (table[bytes[i + 7] as number] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] as number)) & 255] as number);
  return ~crc >>> 0;
}

function makeTables(): Uint32Array {
  const made = new Uint32Array(2048);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    made[byte] = crc;
  }
  for (let i = 256; i < 2048; i++) {
    const before = made[i - 256] as number;
    made[i] = (before >>> 8) ^ (made[before & 255] as number);
  }
  return made;
}
