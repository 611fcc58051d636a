import { type ByteReadOptions, type ByteSource, type ElementType, shapeSize } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { type Box, type BoxRead, planBoxReads } from "./box.ts";
import { copyElements } from "./copy-elements.ts";
import { eachConcurrently } from "./each-concurrently.ts";

/** A local read of its own takes as long as copying this many bytes that are read along. */
const GAP_BYTES = 64 << 10;
/** Longest read in bytes of what is not wanted whole, so that memory beside the result stays small. */
const SPAN_BYTES = 4 << 20;
/** Reads under way at once. */
const CONCURRENCY = 4;

/**
 * Fills `into` with a box of an array in C order of the box's axes, in the byte order of the file.
 *
 * @param dataOffset - Position in bytes of the array's data in the source.
 */
export async function readBox(
  source: ByteSource,
  dataOffset: number,
  type: ElementType,
  box: Box,
  into: Uint8Array,
  options?: ByteReadOptions,
): Promise<void> {
  const limits = { gapBytes: source.gapBytes ?? GAP_BYTES, spanBytes: SPAN_BYTES };
  await eachConcurrently(planBoxReads(box, limits), CONCURRENCY, async (read) => {
    options?.signal?.throwIfAborted();
    await readPart(source, dataOffset, type, read, into, options);
  });
}

async function readPart(
  source: ByteSource,
  dataOffset: number,
  type: ElementType,
  { position, byteLength, target, shape, strides }: BoxRead,
  into: Uint8Array,
  options?: ByteReadOptions,
): Promise<void> {
  const size = shapeSize(shape, type.itemSize);
  const part = into.subarray(target, target + size * type.itemSize);
  if (part.length === byteLength) {
    await source.read(part, dataOffset + position, options);
    return;
  }
  const resident = source.bytes?.(dataOffset + position, byteLength);
  const bytes = resident ?? allocateBytes(byteLength);
  if (resident === undefined) await source.read(bytes, dataOffset + position, options);
  copyElements(type, bytes, { shape, strides }, part);
}
