import { askHugePages } from "./huge-pages.ts";

/**
 * Allocates bytes that are not zeroed, in an `ArrayBuffer` of their own: zeroing new memory costs as much as filling it.
 *
 * Whoever asks for them fills them whole before anybody sees them.
 */
export function allocateBytes(byteLength: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
  const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  askHugePages(bytes);
  return bytes;
}

/** Longest allocation that glibc's threshold rises to (mallopt(3), M_MMAP_THRESHOLD), less its own header. */
const MOST_KEPT_BYTES = (32 << 20) - 4096;
let isReusing = false;

/**
 * Lets memory of chunks be used again once they are collected, for somebody about to allocate many of them.
 *
 * glibc maps new pages for an allocation past a threshold, and unmaps them when it is freed; each page is a fault when it
 * is first written. The threshold rises to the size of what is freed, so that one large allocation that is dropped makes the
 * ones that follow come from memory that is kept, up to 64 MiB of it. Nothing writes to it, so it costs no memory itself.
 * Measured on 1 GiB in chunks of 1 MiB: 10,000 faults in place of 38,000, a third of the time. Other allocators do not mind.
 */
export function reuseFreedMemory(): void {
  if (isReusing) return;
  isReusing = true;
  Buffer.allocUnsafeSlow(MOST_KEPT_BYTES);
}
