import { constants, createInflateRaw } from "node:zlib";
import { NpyError } from "@npystream/codec";
import { allocateBytes, reuseFreedMemory } from "./allocate-bytes.ts";

/** Bytes inflated by one job of the thread pool; their memory is used again for the next. */
const PIECE_BYTES = 1 << 20;
/** Room behind the last byte, without which zlib would ask for another buffer to find the end in. */
const SPARE_BYTES = 64;
/** A size that is only claimed gets this much memory at once, or as much as numbers ordinarily inflate to. */
const TRUSTED_BYTES = 8 << 20;
const TRUSTED_RATIO = 8;

/** Options of {@link inflateWhole} and {@link inflateInto}. */
export interface InflateOptions {
  /** Whether the bytes end with a flush rather than with the end of the stream. @defaultValue false */
  readonly isCut?: boolean;
}

/**
 * Inflates a raw deflate stream, or whole blocks of one, into memory of its own.
 *
 * @param byteLength - Bytes that come out. A claim of more than the input makes likely is held against the stream before it
 *   gets memory, by inflating it once and keeping nothing.
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken stream, `ERR_NPZ_SIZE` for one of another length.
 */
export async function inflateWhole(
  compressed: Uint8Array,
  byteLength: number,
  options: InflateOptions = {},
): Promise<Uint8Array> {
  if (!isLikely(byteLength, compressed.length)) await measureInflated(compressed, byteLength, options);
  const into = allocateBytes(byteLength);
  await inflateInto(compressed, into, options);
  return into;
}

/** Whether so much is likely to come out that memory is taken for it before anything has. */
export function isLikely(byteLength: number, compressedBytes: number): boolean {
  return byteLength <= Math.max(TRUSTED_BYTES, compressedBytes * TRUSTED_RATIO);
}

/** Inflates and keeps nothing. @throws NpyError as {@link inflateInto}, for a stream that does not hold `byteLength`. */
export async function measureInflated(
  compressed: Uint8Array,
  byteLength: number,
  options: InflateOptions = {},
): Promise<void> {
  await inflatePieces(compressed, byteLength, options, () => undefined);
}

/**
 * Inflates a raw deflate stream, or whole blocks of one, and fills `into`.
 *
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken stream, `ERR_NPZ_SIZE` for one of another length.
 */
export async function inflateInto(
  compressed: Uint8Array,
  into: Uint8Array,
  options: InflateOptions = {},
): Promise<void> {
  await inflatePieces(compressed, into.length, options, (piece, position) => into.set(piece, position));
}

async function inflatePieces(
  compressed: Uint8Array,
  byteLength: number,
  { isCut = false }: InflateOptions,
  take: (piece: Uint8Array, position: number) => void,
): Promise<void> {
  reuseFreedMemory();
  const inflater = createInflateRaw({
    chunkSize: Math.min(PIECE_BYTES, byteLength + SPARE_BYTES),
    finishFlush: isCut ? constants.Z_SYNC_FLUSH : constants.Z_FINISH,
  });
  let found = 0;
  await new Promise<void>((resolve, reject) => {
    inflater.on("data", (piece: Uint8Array) => {
      found += piece.length;
      if (found <= byteLength) take(piece, found - piece.length);
      else inflater.destroy(wrongSize(byteLength, "more"));
    });
    inflater.on("error", (error) => reject(refusal(error)));
    inflater.on("end", resolve);
    inflater.end(compressed);
  });
  if (found !== byteLength) throw wrongSize(byteLength, found);
}

function refusal(error: Error): Error {
  const isFormat = "code" in error && String(error.code).startsWith("Z_");
  return isFormat ? new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause: error }) : error;
}

function wrongSize(declared: number, found: number | "more"): NpyError {
  return new NpyError("ERR_NPZ_SIZE", `the member declares ${declared} bytes and inflates to ${found}`);
}
