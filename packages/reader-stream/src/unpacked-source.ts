import type { ByteReadOptions, ByteSource } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { bytesSource, checkOpen, checkRange } from "./bytes-source.ts";
import type { ForkableSource } from "./inflated-source.ts";
import { spool } from "./spool.ts";
import { untilAborted } from "./until-aborted.ts";
import { canReadWhole, type WholeSource } from "./whole-source.ts";

/** Contents up to this many bytes are unpacked into memory, longer ones into a temporary file. */
const MOST_RESIDENT_BYTES = 32 << 20;
/** Bytes written to the temporary file at once. */
const PIECE_BYTES = 1 << 20;

/** Options of {@link unpackedSource}. */
export interface UnpackOptions {
  /** Longest content that is kept in memory, in bytes. @defaultValue 32 MiB (33,554,432) */
  readonly residentBytes?: number;
}

/** One unpacking, and how many reads wait for it. */
interface Unpacking {
  readonly source: Promise<ByteSource>;
  readonly stop: AbortController;
  waiting: number;
  isDone: boolean;
}

/**
 * Reads a source that only goes forward at any position: the first read that goes back unpacks the content once, and all
 * that follow are read from there. However many there are, the content is inflated at most twice.
 *
 * For Fortran arrays, of which every window of rows is read from the first column to the last.
 *
 * @throws NpyError those of the source below, from `read`. System errors such as `ENOSPC` of the temporary file, which
 *   lies in `os.tmpdir()` and has no name.
 */
export function unpackedSource(source: ForkableSource, options: UnpackOptions = {}): WholeSource {
  return new UnpackedSource(source, options.residentBytes ?? MOST_RESIDENT_BYTES);
}

class UnpackedSource implements WholeSource {
  readonly byteLength: number;
  readonly version?: string;
  readonly #source: ForkableSource;
  readonly #residentBytes: number;
  /** Where the last read that went forward ends. */
  #end = 0;
  #unpacking: Unpacking | undefined;
  #isClosed = false;

  constructor(source: ForkableSource, residentBytes: number) {
    this.byteLength = source.byteLength;
    if (source.version !== undefined) this.version = source.version;
    this.#source = source;
    this.#residentBytes = residentBytes;
  }

  async read(into: Uint8Array, position: number, options?: ByteReadOptions): Promise<void> {
    checkOpen(this.#isClosed);
    checkRange(this.byteLength, position, into.length);
    options?.signal?.throwIfAborted();
    if (this.#unpacking === undefined && position >= this.#end) {
      this.#end = position + into.length;
      await this.#source.read(into, position, options);
      return;
    }
    const unpacked = await this.#unpacked(options?.signal);
    await unpacked.read(into, position, options);
    options?.signal?.throwIfAborted();
  }

  async readWhole(options?: ByteReadOptions): Promise<Uint8Array> {
    checkOpen(this.#isClosed);
    return await readAll(this.#source, options);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const unpacking = this.#unpacking;
    if (unpacking !== undefined) await giveUp(unpacking, new TypeError("the source has been closed"));
    await this.#source.close();
  }

  async #unpacked(signal: AbortSignal | undefined): Promise<ByteSource> {
    this.#unpacking ??= this.#unpack();
    const unpacking = this.#unpacking;
    unpacking.waiting++;
    try {
      return await untilAborted(unpacking.source, signal);
    } finally {
      unpacking.waiting--;
      // Nobody wants it any more: the last one that waited was aborted.
      if (unpacking.waiting === 0 && !unpacking.isDone && this.#unpacking === unpacking) {
        this.#unpacking = undefined;
        void giveUp(unpacking, signal?.reason);
      }
    }
  }

  #unpack(): Unpacking {
    const stop = new AbortController();
    const source = this.#unpackInto(stop.signal);
    const unpacking: Unpacking = { source, stop, waiting: 0, isDone: false };
    source.then(
      () => {
        unpacking.isDone = true;
      },
      () => {
        // What has failed once, such as a connection, may not fail again.
        if (this.#unpacking === unpacking) this.#unpacking = undefined;
      },
    );
    return unpacking;
  }

  async #unpackInto(signal: AbortSignal): Promise<ByteSource> {
    const from = this.#source.fork();
    try {
      if (this.byteLength <= this.#residentBytes) return bytesSource(await readAll(from, { signal }));
      return await spool(piecesOf(from, signal), { signal });
    } finally {
      await from.close();
    }
  }
}

/** Stops an unpacking, and frees what it has made all the same. */
async function giveUp({ source, stop }: Unpacking, reason: unknown): Promise<void> {
  stop.abort(reason);
  await source.then(
    (unpacked) => unpacked.close(),
    () => undefined,
  );
}

async function readAll(source: ByteSource, options?: ByteReadOptions): Promise<Uint8Array> {
  if (canReadWhole(source)) return await source.readWhole(options);
  const bytes = allocateBytes(source.byteLength);
  await source.read(bytes, 0, options);
  return bytes;
}

async function* piecesOf(source: ByteSource, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < source.byteLength; position += PIECE_BYTES) {
    const piece = allocateBytes(Math.min(PIECE_BYTES, source.byteLength - position));
    await source.read(piece, position, { signal });
    yield piece;
  }
}
