import { deflateSync } from "fflate";
import { crc32 } from "./crc32.ts";
import { inflate, inflateStart } from "./inflate.ts";

/** The checksum of a ZIP member. */
export interface ZipChecksum {
  /** CRC-32 (ISO 3309, as ZIP uses it), going on from `seed`. @defaultValue seed 0 */
  crc32(bytes: Uint8Array, seed?: number): number;
}

/** What reading an archive needs; Node packages pass `node:zlib`, which is faster than the portable one. */
export interface ZipInflater extends ZipChecksum {
  /**
   * Inflates a raw deflate stream of exactly `byteLength` bytes. That number is what a file claims: it has been held against
   * the ratio that deflate reaches and no more, so an engine should not allocate it on trust.
   *
   * @throws NpyError `ERR_NPZ_DEFLATE`, `ERR_NPZ_SIZE`
   */
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

/** The engine that runs everywhere: deflate by fflate, and inflate and checksum in plain JavaScript. */
export const portableEngine: ZipInflater & ZipDeflater = {
  // No blocks: the flush of fflate 0.8.3 writes a broken block unless the stream happens to be at a whole byte.
  deflate: (bytes, level) => deflateSync(bytes, { level: deflateLevel(level) }),
  inflate,
  inflateStart,
  crc32,
};

type DeflateLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

function deflateLevel(level: number): DeflateLevel {
  if (!Number.isInteger(level) || level < 0 || level > 9) throw new RangeError(`level is 0 to 9, not ${level}`);
  return level as DeflateLevel;
}
