import { encodeMemberName } from "@npystream/codec";
import type { ArrayInput } from "./array-input.ts";
import { pathOf } from "./file-sink.ts";
import { BlockDeflater } from "./node-deflater.ts";
import type { NpyWriteResult } from "./npy-write-options.ts";
import { createNpyWriteStream, type NpyWriteStream } from "./npy-write-stream.ts";
import { type OpenedArchive, openNpzAppend } from "./npz-append.ts";
import { duplicateError, NpzMemberSink } from "./npz-member-sink.ts";
import { NpzOutput } from "./npz-output.ts";
import {
  checkArrayOptions,
  checkMemberOptions,
  type NpzArrayOptions,
  type NpzMemberOptions,
  type NpzWriteResult,
  type NpzWriterOptions,
  type ResolvedNpzOptions,
  resolveNpzOptions,
} from "./npz-write-options.ts";
import { writeNpy } from "./write-npy.ts";
import { isSink, openSink, sinkPath, type WriteTarget } from "./write-target.ts";

const READY: Promise<void> = Promise.resolve();

/**
 * Creates a writer of an `.npz` whose members are written one by one, by rows or whole, several of them at once.
 *
 * The archive appears whole at `finish`, see `fileSink`, or not at all: whatever fails or is dropped, a single member
 * too, gives up the archive, and the others fail for the same reason. Memory does not grow with the arrays: of each open
 * member `highWaterMark` bytes are gathered, and where members are deflated `concurrency` blocks of about 1 MiB are in
 * memory, and as many deflated ones.
 *
 * The first large member is written straight through. Others that come before it has ended go into files without a name
 * beside the archive (for a sink without a path in the system's temporary folder) and from there behind it, which costs
 * reading and writing them once more. So does a member of unknown length on its way to a sink that cannot seek; one
 * that declares its `rows` is written through there with a data descriptor behind it.
 *
 * With `mode: 'append'`, an archive that is there is copied and takes its old place once the new members are in it; a
 * file system that can share blocks copies no data for that. The old members stay byte for byte.
 *
 * @throws TypeError for an unknown option or a target that is none; RangeError for a level, alignment or concurrency
 *   that there is not. Everything else comes out of members and of `finish`: `ERR_WRITE_EXISTS`, `ERR_WRITE_NO_SPACE`,
 *   `ERR_WRITE_IO`; in append mode `ERR_WRITE_LOCKED`, `ERR_NPZ_DUPLICATE`, and those of reading a directory.
 * @example
 * const archive = createNpzWriter("set.npz", { compress: true });
 * const features = archive.member("features", { dtype: "float32", rowShape: [128] });
 * for await (const rows of source) await features.push(rows);
 * await features.finish();
 * await archive.write("labels", labels);
 * await archive.finish();
 */
export function createNpzWriter(target: WriteTarget, options: NpzWriterOptions = {}): NpzWriter {
  return new NpzWriter(target, resolveNpzOptions(target, options));
}

/** Puts arrays into one `.npz`; `createNpzWriter` makes it. */
export class NpzWriter implements AsyncDisposable {
  readonly #options: ResolvedNpzOptions;
  readonly #path: string | undefined;
  readonly #archive: Promise<OpenedArchive>;
  readonly #output: NpzOutput;
  readonly #deflater: BlockDeflater;
  readonly #names = new Set<string>();
  readonly #streams = new Map<string, NpyWriteStream>();
  #failure: { readonly reason: unknown } | undefined;
  /** Settles with the last array of `write`. */
  #writing: Promise<void> = READY;
  #finished: Promise<NpzWriteResult> | undefined;

  /** @internal */
  constructor(target: WriteTarget, options: ResolvedNpzOptions) {
    const { align, level, concurrency, signal } = options;
    this.#options = options;
    this.#path = isSink(target) ? sinkPath(target).path : pathOf(target);
    this.#deflater = new BlockDeflater(level, concurrency);
    this.#archive = openArchive(target, options);
    this.#output = new NpzOutput(this.#archive, align, (reason) => this.#onFailure(reason));
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /**
   * Opens a member to write rows to, as `createNpyWriteStream` makes it. It is part of the archive once it has ended,
   * by `finish`, `end` or a pipeline; destroying it before gives up the archive.
   *
   * @param name - Without `.npy`.
   * @throws NpyError `ERR_NPZ_DUPLICATE` for a name the archive has; TypeError for an unknown option, an empty name, one
   *   with a NUL, half a surrogate pair or more than 65,531 bytes, and after `finish`; what the archive has failed with.
   */
  member(name: string, options: NpzMemberOptions = {}): NpyWriteStream {
    checkMemberOptions(options);
    const { compress, ...streamOptions } = options;
    // Made first with nothing behind it: what is refused leaves the name free.
    const isFinal = options.rows !== undefined;
    const sink = this.#createSink(name, compress, isFinal, this.#notTaken(name));
    const stream = createNpyWriteStream(sink, streamOptions);
    this.#names.add(name);
    this.#streams.set(name, stream);
    // Its error comes out of finish() too, so that nobody has to listen for it.
    stream.on("error", () => undefined);
    stream.once("close", () => {
      this.#streams.delete(name);
      // One that was destroyed before it was opened has told nobody.
      if (!sink.isCommitted) void sink.abort(stream.errored ?? droppedError(name)).catch(() => undefined);
    });
    return stream;
  }

  /**
   * Writes a whole array as `writeNpy` does. Members lie in the order of these calls, and the same calls give the same
   * bytes; several may be made without waiting.
   *
   * @param name - Without `.npy`.
   * @throws NpyError `ERR_NPZ_DUPLICATE` for a name the archive has, `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` for values that
   *   are no array of the dtype, and whatever the archive failed with; TypeError as {@link member}.
   */
  async write(name: string, array: ArrayInput, options: NpzArrayOptions = {}): Promise<NpyWriteResult> {
    checkArrayOptions(options);
    const { compress, ...arrayOptions } = options;
    const before = this.#writing;
    const turn = before.then(() => this.#notTaken(name));
    const sink = this.#createSink(name, compress, true, turn);
    this.#names.add(name);
    const writing = writeNpy(sink, array, arrayOptions).catch(async (error: unknown) => {
      // What is no array has not come to the sink.
      await sink.abort(error).catch(() => undefined);
      throw this.#failure === undefined ? error : this.#failure.reason;
    });
    this.#writing = writing.then(
      () => undefined,
      () => undefined,
    );
    return await writing;
  }

  /**
   * Commits: the file has its name now. Waits for members that have ended and not arrived.
   *
   * @throws whatever a member or the archive failed with; TypeError where a member has not ended. Nothing is left then.
   */
  finish(): Promise<NpzWriteResult> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  /** Gives the archive up and resolves when nothing is left of it; members that are open fail with `reason`. */
  async abort(reason: unknown = droppedError()): Promise<void> {
    await this.#output.fail(reason);
  }

  /** Gives the archive up unless it is finished, so that `await using` leaves no half file behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#finished?.catch(() => undefined);
    await this.abort();
  }

  async #finish(): Promise<NpzWriteResult> {
    // Why it could not be opened says more than what has not happened since.
    await this.#archive.catch(() => undefined);
    const open = Array.from(this.#streams).filter(([, { writableEnded, destroyed }]) => !writableEnded && !destroyed);
    if (open.length > 0) {
      const names = open.map(([name]) => JSON.stringify(name)).join(", ");
      await this.abort(new TypeError(`finish() comes after the members have ended, and ${names} has not`));
    }
    const ended = Array.from(this.#streams.values(), (stream) => stream.finish());
    await Promise.all(ended).catch((error: unknown) => this.abort(error));
    await this.#writing;
    if (this.#failure !== undefined) {
      await this.#output.fail(this.#failure.reason);
      throw this.#failure.reason;
    }
    const { path, byteLength } = await this.#output.finish();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    return { ...(path === undefined ? {} : { path }), names: [...this.#names], byteLength };
  }

  #createSink(member: string, compress: boolean | undefined, isFinal: boolean, turn: Promise<void>): NpzMemberSink {
    // Somebody may have to wait for it first.
    turn.catch(() => undefined);
    if (this.#failure !== undefined) throw this.#failure.reason;
    if (this.#finished !== undefined) throw new TypeError("the archive is finished and takes no more members");
    if (this.#names.has(member)) throw duplicateError(member, this.#path);
    checkName(member);
    const deflater = (compress ?? this.#options.compress) ? this.#deflater : undefined;
    return new NpzMemberSink({ member, output: this.#output, deflater, isFinal, turn, path: this.#path });
  }

  async #notTaken(member: string): Promise<void> {
    const { names } = await this.#archive;
    if (names?.has(member)) throw duplicateError(member, this.#path);
  }

  #onFailure(reason: unknown): void {
    this.#failure = { reason };
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    // Node hands on what it is given, and a reason need not be an Error.
    for (const stream of this.#streams.values()) stream.destroy(reason as Error);
  }

  readonly #onAbort = (): void => {
    void this.#output.fail(this.#options.signal?.reason);
  };
}

async function openArchive(target: WriteTarget, options: ResolvedNpzOptions): Promise<OpenedArchive> {
  options.signal?.throwIfAborted();
  if (options.mode === "append" && !isSink(target)) return await openNpzAppend(target);
  return { sink: await openSink(target, options.overwrite) };
}

/** What ZIP cannot hold is refused before anything is written. @throws TypeError */
function checkName(member: string): void {
  if (typeof member !== "string" || member === "") throw new TypeError("a member has a name of at least one character");
  encodeMemberName(`${member}.npy`);
}

/** For who drops an archive or a member without saying why. */
function droppedError(member?: string): Error {
  const what = member === undefined ? "the archive" : `member ${JSON.stringify(member)}`;
  const error = new Error(`${what} was dropped before it was finished`);
  error.name = "AbortError";
  return error;
}
