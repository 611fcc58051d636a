import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { checkOptionKeys, NpyError } from "@npystream/codec";
import { type FileSource, openFileSource } from "./file-source.ts";
import { untilAborted } from "./until-aborted.ts";

/** What can be spooled: a Node stream or any other async iterable of bytes, or a web stream such as the body of a response. */
export type SpoolInput = AsyncIterable<Uint8Array> | WebByteStream;

/** A web stream of bytes, as far as it is told from others. */
export interface WebByteStream {
  /** Locks the stream for one reader. */
  getReader(): object;
}

/** Options of {@link spool}. */
export interface SpoolOptions {
  /**
   * Folder of the temporary file.
   *
   * @defaultValue `os.tmpdir()`
   */
  readonly directory?: string;
  /**
   * Most bytes that are taken.
   *
   * @defaultValue no limit
   */
  readonly maxBytes?: number;
  /** Aborts the spooling and destroys the input. */
  readonly signal?: AbortSignal;
}

const OPTION_NAMES = ["directory", "maxBytes", "signal"];
/** Windows cannot take the name of an open file away. */
const KEEPS_NAME = process.platform === "win32";

/**
 * Copies a stream to a temporary file, since an `.npz` has its directory at the end and arrays are read by position.
 *
 * The file loses its name before the first byte is written, so nothing is left behind however the process ends; on Windows
 * it goes when the source is closed.
 *
 * @returns The file as a source; closing it frees its space.
 * @throws NpyError `ERR_LIMIT_SPOOL` where more than `maxBytes` come. System errors such as `ENOSPC`; whatever the input
 *   fails with. The input is destroyed then.
 *
 * @example
 * await using archive = await openNpz(await spool(process.stdin));
 */
export async function spool(input: SpoolInput, options: SpoolOptions = {}): Promise<FileSource> {
  checkOptionKeys("spool", options, OPTION_NAMES);
  const { directory = tmpdir(), maxBytes = Number.POSITIVE_INFINITY, signal } = options;
  if (Number.isNaN(maxBytes) || maxBytes < 0) throw new RangeError(`maxBytes is a number from 0 on, not ${maxBytes}`);
  const stream = toReadable(input);
  try {
    signal?.throwIfAborted();
    const { file, close } = await createUnnamed(directory);
    try {
      // An iterable that never goes on could not be left otherwise.
      await untilAborted(copy(stream, file, maxBytes), signal);
      return await openFileSource(file, { close });
    } catch (error) {
      await close();
      throw error;
    }
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

function toReadable(input: SpoolInput): Readable {
  if (input instanceof Readable) return input;
  // A web stream is recognised by its method, since those of other libraries' making are no instances.
  if ("getReader" in input) return Readable.fromWeb(input as ReadableStream<Uint8Array>);
  if (Symbol.asyncIterator in input) return Readable.from(input, { objectMode: true, highWaterMark: 1 });
  throw new TypeError("expected a stream or an async iterable of bytes");
}

async function createUnnamed(directory: string): Promise<{ file: FileHandle; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(directory, "npystream-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true });
  let file: FileHandle | undefined;
  try {
    file = await open(join(folder, "spool"), "wx+", 0o600);
  } finally {
    if (file === undefined || !KEEPS_NAME) await remove();
  }
  const opened = file;
  return {
    file: opened,
    close: async () => {
      await opened.close();
      if (KEEPS_NAME) await remove();
    },
  };
}

async function copy(stream: Readable, file: FileHandle, maxBytes: number): Promise<void> {
  let byteLength = 0;
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("a stream of bytes is spooled, not one of text or objects");
    byteLength += chunk.length;
    if (byteLength > maxBytes) {
      throw new NpyError("ERR_LIMIT_SPOOL", `the stream goes on past the ${maxBytes} bytes of maxBytes`);
    }
    // Each writes on from where the last one ended.
    await file.writeFile(chunk);
  }
}
