import { Writable } from "node:stream";
import { fileSink } from "@npystream/writer-stream";
import { OutputError, TextOutput } from "./text-output.ts";

/**
 * Writes a text file that appears whole or not at all.
 *
 * @param signal - Aborts the writing: nothing is left, also where `write` waits for something else.
 * @returns Bytes of the file.
 * @throws NpyError those of `fileSink`, and what `write` throws.
 */
export async function writeTextFile(
  path: string,
  overwrite: boolean,
  write: (output: TextOutput) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const sink = await fileSink(path, { overwrite });
  // A failure to remove it comes out of the abort below.
  const onAbort = (): void => void sink.abort().catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  let byteLength = 0;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      byteLength += chunk.length;
      sink.write(chunk).then(() => done(), done);
    },
  });
  try {
    const output = new TextOutput(stream);
    await write(output);
    await output.flush();
    await sink.commit();
    return byteLength;
  } catch (error) {
    await sink.abort();
    // It is the file that failed, and not stdout.
    throw error instanceof OutputError ? error.cause : error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
