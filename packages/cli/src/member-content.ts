import { Readable } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { type ByteSource, checkInflatedSize, NpyError, parseBlockTable, type ZipMember } from "@npystream/codec";

/** Bytes read at once, and inflated bytes handed out at once. */
const PIECE_BYTES = 256 << 10;

/** Reads a part of a source to its end, for what reading it fails with. */
export async function readThrough(source: ByteSource, start: number, byteLength: number): Promise<void> {
  for await (const _ of pieces(source, start, byteLength)) {
    // That it can be read is all that is asked.
  }
}

/**
 * Reads the content of a member to its end, with the memory of a few pieces, and checks sizes and checksum. Inflating stops
 * where it passes the size that the directory declares.
 *
 * @param start - Position in the archive of the member's first byte.
 * @throws NpyError `ERR_NPZ_CRC`, `ERR_NPZ_DEFLATE`, `ERR_NPZ_SIZE`; `ERR_SOURCE_TRUNCATED` where the file was cut meanwhile.
 */
export async function checkContent(source: ByteSource, member: ZipMember, start: number): Promise<void> {
  checkInflatedSize(member);
  const { method, compressedSize, byteLength, blockTable } = member;
  if (blockTable !== undefined) parseBlockTable(blockTable, byteLength, compressedSize);
  const stored = pieces(source, start, compressedSize);
  const content = method === 0 ? stored : inflate(stored, compressedSize);
  let crc = 0;
  let length = 0;
  for await (const piece of content) {
    length += piece.length;
    if (length > byteLength) throw sizeError(byteLength, "more");
    crc = crc32(piece, crc);
  }
  if (length < byteLength) throw sizeError(byteLength, String(length));
  if (crc !== member.crc32) throw new NpyError("ERR_NPZ_CRC", "the member's checksum does not match its bytes");
}

async function* inflate(stored: AsyncIterable<Uint8Array>, compressedSize: number): AsyncGenerator<Uint8Array> {
  const compressed = Readable.from(stored, { objectMode: false, highWaterMark: PIECE_BYTES });
  const inflater = createInflateRaw({ chunkSize: PIECE_BYTES });
  compressed.on("error", (error) => inflater.destroy(error));
  try {
    for await (const piece of compressed.pipe(inflater)) yield piece;
  } catch (cause) {
    const isFormat = cause instanceof Error && "code" in cause && String(cause.code).startsWith("Z_");
    if (!isFormat) throw cause;
    throw new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause });
  } finally {
    compressed.destroy();
    inflater.destroy();
  }
  // What the decompressor took, which is less than it was given where the stream ends before.
  if (inflater.bytesWritten < compressedSize) {
    throw new NpyError(
      "ERR_NPZ_SIZE",
      `the member declares ${compressedSize} deflated bytes and its stream ends after ${inflater.bytesWritten}`,
    );
  }
}

async function* pieces(source: ByteSource, start: number, byteLength: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < byteLength; position += PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, byteLength - position));
    await source.read(piece, start + position);
    yield piece;
  }
}

function sizeError(declared: number, found: string): NpyError {
  return new NpyError("ERR_NPZ_SIZE", `the member declares ${declared} bytes and inflates to ${found}`);
}
