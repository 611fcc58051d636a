import type { ByteSink } from "@npystream/codec";
import { GatherBuffer } from "./gather-buffer.ts";

const CAPACITY = 2 << 20;

/**
 * Writes pieces one after another and commits the sink, or aborts it.
 *
 * @param byteLength - Bytes of all pieces.
 * @throws the sink's error, or `signal.reason`; NpyError `ERR_WRITE_SHAPE` where the pieces came to other than `byteLength`.
 */
export async function commitPieces(
  sink: ByteSink,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  byteLength: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  // A sink may be stuck in a write that only its abort ends. Its failure is of no interest beside the abort itself.
  const onAbort = (): void => void sink.abort(signal?.reason).catch(() => undefined);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const gather = new GatherBuffer(sink, CAPACITY, () => undefined);
    for await (const piece of pieces) {
      signal?.throwIfAborted();
      await gather.write(piece);
    }
    await gather.drain();
    gather.checkTotal(byteLength);
    signal?.throwIfAborted();
    await sink.commit();
  } catch (error) {
    const reason: unknown = signal?.aborted ? signal.reason : error;
    await sink.abort(reason).catch(() => undefined);
    throw reason;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
