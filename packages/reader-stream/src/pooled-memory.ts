import type { NdArray } from "@npystream/codec";

/** Buffers that batches take back; who still holds one does not keep it alive here. */
const pooled = new WeakSet<object>();

/** Notes that a buffer is taken back from its batch when the next one is asked for. */
export function markPooled(buffer: ArrayBufferLike): void {
  pooled.add(buffer);
}

/** Whether an array is of a batch with `ownership: 'pooled'`, whose memory is taken back. */
function isPooled(array: NdArray): boolean {
  return pooled.has(array.data.buffer);
}

/** Refuses an array whose memory is taken back, for somebody who keeps it. @throws TypeError */
export function refusePooled(array: NdArray, who: string): void {
  if (!isPooled(array)) return;
  throw new TypeError(
    `${who} keeps the memory that it is given, and a pooled batch takes it back: use ownership 'fresh'`,
  );
}
