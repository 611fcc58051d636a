import type { ByteSink } from "@npystream/codec";
import { GatherBuffer } from "./gather-buffer.ts";

const CAPACITY = 2 << 20;

/**
 * Writes pieces one after another and commits the sink, or aborts it.
 *
 * @returns Number of bytes written.
 * @throws the sink's error, or `signal.reason`.
 */
export async function commitPieces(
  sink: ByteSink,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
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
    signal?.throwIfAborted();
    await sink.commit();
    return gather.byteLength;
  } catch (error) {
    const reason: unknown = signal?.aborted ? signal.reason : error;
    await sink.abort(reason).catch(() => undefined);
    throw reason;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
