import { askHugePages, keepFreedMemory } from "./huge-pages.ts";

/** Longest allocation that glibc's threshold rises to (mallopt(3), M_MMAP_THRESHOLD), less its own header. */
const MOST_KEPT_BYTES = (32 << 20) - 4096;
/** Shorter allocations come from memory that is kept anyway (the threshold that glibc begins with). */
const LARGE_BYTES = 128 << 10;
/** Bytes of allocations, one after another, from which on memory is kept for them. */
const WORTH_BYTES = 16 << 20;

let expected = 0;
let isReusing = false;

/**
 * Allocates bytes that are not zeroed, in an `ArrayBuffer` of their own: zeroing new memory costs as much as filling it.
 *
 * Whoever asks for them fills them whole before anybody sees them.
 */
export function allocateBytes(byteLength: number): Uint8Array<ArrayBuffer> {
  if (byteLength >= LARGE_BYTES && byteLength <= MOST_KEPT_BYTES) reuseFreedMemory(byteLength);
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  askHugePages(bytes);
  return bytes;
}

/**
 * Lets memory of chunks be used again once they are collected, for somebody about to allocate many of them.
 *
 * glibc maps new pages for large allocations and gives back what is freed; each page is a fault when it is first written,
 * 5 to 18 us on virtual machines that were measured. The collector frees 64 MiB at once, which is as much as glibc gives back
 * unless it is told otherwise. Measured on 1 GiB in chunks of 1 MiB: 1,300 faults in place of 31,000, a third of the time.
 *
 * @param byteLength - Bytes that are about to be allocated in all; less than 16 MiB are only counted.
 */
export function reuseFreedMemory(byteLength = 0): void {
  if (isReusing) return;
  expected += byteLength;
  if (expected < WORTH_BYTES) return;
  isReusing = true;
  // Without koffi: the threshold for mapping rises to the size of what is freed, and that for giving back to twice as much.
  // One large allocation that is dropped raises both to their most. Nothing writes to it, so it costs no memory itself.
  if (!keepFreedMemory()) Buffer.allocUnsafeSlow(MOST_KEPT_BYTES);
}
