import { NpyError } from "./npy-error.ts";
import { RawInflater, WINDOW_BYTES } from "./raw-inflater.ts";

/** Deflate at its best packs 258 bytes in 2 bits (RFC 1951 section 3.2.5), so nothing inflates by more than this. */
export const MAX_DEFLATE_RATIO = 1032;

/** What a file may claim on top of its own size and get before any of it has been seen. */
const CLAIMED_BYTES = 15 << 20;
/** Numbers are seldom packed closer, so a claim beyond is held against the stream before it gets memory. */
const ORDINARY_RATIO = 8;
/** Inflated at once where nothing of it is kept. */
const PASSING_BYTES = 64 << 10;

/**
 * Inflates a raw deflate stream of exactly `byteLength` bytes, and not a byte further.
 *
 * Memory is taken for the size of the stream and 15 MiB at first. What is claimed beyond that is taken when so much has
 * really come out, and of a stream that claims to be packed more than eight times only when it has been inflated once
 * to see whether it is.
 *
 * fflate cannot stop at a byte: a stream pushed in pieces short enough to bound what a bomb makes (4 KiB) takes 200 KiB of
 * memory a piece and twice the time, measured on 64 MiB. So deflating is fflate's, and inflating is not.
 *
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken stream, `ERR_NPZ_SIZE` for one of another length.
 */
export function inflate(bytes: Uint8Array, byteLength: number): Uint8Array {
  const trusted = bytes.length + CLAIMED_BYTES;
  if (byteLength > Math.max(trusted, bytes.length * ORDINARY_RATIO)) {
    measure(bytes, byteLength);
    return inflateInto(bytes, new Uint8Array(byteLength), byteLength);
  }
  return inflateInto(bytes, new Uint8Array(Math.min(byteLength, trusted)), byteLength);
}

/**
 * Inflates the first `length` bytes of a raw deflate stream, fewer where it ends before.
 *
 * @throws NpyError `ERR_NPZ_DEFLATE` for a broken stream.
 */
export function inflateStart(bytes: Uint8Array, length: number): Uint8Array {
  const start = new Uint8Array(length);
  return start.subarray(0, new RawInflater(bytes).inflate(start, 0));
}

function inflateInto(bytes: Uint8Array, room: Uint8Array, byteLength: number): Uint8Array {
  const inflater = new RawInflater(bytes);
  let output = room;
  let end = inflater.inflate(output, 0);
  if (!inflater.isDone && output.length < byteLength) {
    output = new Uint8Array(byteLength);
    output.set(room);
    end = inflater.inflate(output, end);
  }
  if (!inflater.isDone) throw sizeError(byteLength, "more");
  if (end !== byteLength) throw sizeError(byteLength, String(end));
  return output;
}

/** Inflates and keeps nothing, to see whether a stream holds what is claimed. */
function measure(bytes: Uint8Array, byteLength: number): void {
  const inflater = new RawInflater(bytes);
  const passing = new Uint8Array(WINDOW_BYTES + PASSING_BYTES);
  let found = inflater.inflate(passing, 0);
  for (let end = found; !inflater.isDone; ) {
    if (found > byteLength) throw sizeError(byteLength, "more");
    passing.copyWithin(0, end - WINDOW_BYTES, end);
    end = inflater.inflate(passing, WINDOW_BYTES);
    found += end - WINDOW_BYTES;
  }
  if (found !== byteLength) throw sizeError(byteLength, found > byteLength ? "more" : String(found));
}

function sizeError(declared: number, found: string): NpyError {
  return new NpyError("ERR_NPZ_SIZE", `the member declares ${declared} bytes and inflates to ${found}`);
}
