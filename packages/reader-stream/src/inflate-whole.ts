import { constants, createInflateRaw, type InflateRaw } from "node:zlib";
import { NpyError } from "@npystream/codec";
import { allocateBytes, reuseFreedMemory } from "./allocate-bytes.ts";
import { askHugePages } from "./huge-pages.ts";

/** Bytes inflated by one job of the thread pool and copied; their memory is used again for the next. */
const PIECE_BYTES = 1 << 20;
/**
 * What inflates to no more is inflated by one job into memory that becomes the result: no copies, and page faults are the
 * pool's (measured on 4 members of 64 MiB: 0.95 s of processor time in place of 1.37). Longer jobs would keep others waiting.
 */
const ONE_PIECE_BYTES = 128 << 20;
/** Room behind the last byte, without which zlib would ask for another buffer to find the end in. */
const SPARE_BYTES = 64;
/** A size that is only claimed gets this much memory at once, or as much as numbers ordinarily inflate to. */
const TRUSTED_BYTES = 8 << 20;
const TRUSTED_RATIO = 8;

/** Options of {@link inflateWhole} and {@link inflateInto}. */
export interface InflateOptions {
  /** Whether the bytes end with a flush rather than with the end of the stream. @defaultValue false */
  readonly isCut?: boolean;
  /** Stops it. @defaultValue none */
  readonly signal?: AbortSignal | undefined;
  /** Called with what comes out, piece by piece. @defaultValue none */
  readonly onPiece?: ((piece: Uint8Array) => void) | undefined;
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
  let into: Uint8Array | undefined;
  const pieceBytes = byteLength <= ONE_PIECE_BYTES ? byteLength : PIECE_BYTES;
  await inflatePieces(compressed, byteLength, { ...options, pieceBytes }, (piece, position) => {
    // What came out in one piece has memory of its own already, unless it is short and shares that of Node's pool.
    const isOwn = piece.length === byteLength && piece.buffer.byteLength <= byteLength + SPARE_BYTES;
    into ??= isOwn ? new Uint8Array(piece.buffer, piece.byteOffset, byteLength) : allocateBytes(byteLength);
    if (!isOwn) into.set(piece, position);
  });
  return into ?? new Uint8Array(0);
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
  await inflatePieces(compressed, byteLength, { ...options, onPiece: undefined }, () => undefined);
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

interface PieceOptions extends InflateOptions {
  readonly pieceBytes?: number;
}

async function inflatePieces(
  compressed: Uint8Array,
  byteLength: number,
  { isCut = false, signal, onPiece, pieceBytes = Math.min(PIECE_BYTES, byteLength) }: PieceOptions,
  take: (piece: Uint8Array, position: number) => void,
): Promise<void> {
  signal?.throwIfAborted();
  reuseFreedMemory(byteLength);
  const inflater = createInflateRaw({
    chunkSize: pieceBytes + SPARE_BYTES,
    finishFlush: isCut ? constants.Z_SYNC_FLUSH : constants.Z_FINISH,
  });
  // Where zlib's stream keeps its memory under another name, the pages under it are small ones.
  const { _outBuffer } = inflater as InflateRaw & { readonly _outBuffer?: unknown };
  if (_outBuffer instanceof Uint8Array) askHugePages(_outBuffer);
  let found = 0;
  let abort = (): void => undefined;
  await new Promise<void>((resolve, reject) => {
    abort = () => {
      inflater.destroy();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    inflater.on("data", (piece: Uint8Array) => {
      found += piece.length;
      if (found > byteLength) return void inflater.destroy(wrongSize(byteLength, "more"));
      take(piece, found - piece.length);
      onPiece?.(piece);
    });
    inflater.on("error", (error) => reject(refusal(error)));
    inflater.on("end", resolve);
    inflater.end(compressed);
  }).finally(() => signal?.removeEventListener("abort", abort));
  if (found !== byteLength) throw wrongSize(byteLength, found);
}

function refusal(error: Error): Error {
  const isFormat = "code" in error && String(error.code).startsWith("Z_");
  return isFormat ? new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause: error }) : error;
}

/** Makes an `ERR_NPZ_SIZE` for content of another length than declared. */
export function wrongSize(declared: number, found: number | "more"): NpyError {
  return new NpyError("ERR_NPZ_SIZE", `the member declares ${declared} bytes and inflates to ${found}`);
}
