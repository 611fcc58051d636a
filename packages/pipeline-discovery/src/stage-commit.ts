import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ByteSink, NameTemplate } from "@npystream/codec";
import {
  type ArrayInput,
  createNpyWriteStream,
  fileSink,
  type NpyWriteOptions,
  type NpyWriteStream,
  type WriteNpyOptions,
  type WriteNpzOptions,
  writeNpy,
  writeNpz,
} from "@npystream/writer-stream";

/**
 * Writes one result of a stage under a name of `names`, and gives its absolute path.
 *
 * It appears whole or not at all, under a name that follows from the fields alone: a set that is worked on again gives
 * the same single file. A result of the same name is replaced. Nothing appears once the set has changed or the attempt
 * is over.
 */
export interface Commit {
  /**
   * @param write - Is given the stream to write a `.npy` with; what it leaves open is finished.
   * @throws NpyError `ERR_SET_CHANGED`, `ERR_TEMPLATE_PATH`, those of `createNpyWriteStream`; what `write` throws;
   *   `signal.reason` when the attempt is over.
   */
  <F extends object>(
    names: NameTemplate<F>,
    fields: NoInfer<F>,
    write: (out: NpyWriteStream) => unknown,
    options?: Omit<NpyWriteOptions, "overwrite" | "signal">,
  ): Promise<string>;
  /**
   * @param array - A whole array, for a template that ends in `.npy`.
   * @throws NpyError `ERR_SET_CHANGED`, `ERR_TEMPLATE_PATH`, those of `writeNpy`; `signal.reason` when the attempt is over.
   */
  <F extends object>(
    names: NameTemplate<F>,
    fields: NoInfer<F>,
    array: ArrayInput,
    options?: Omit<WriteNpyOptions, "overwrite" | "signal">,
  ): Promise<string>;
  /**
   * @param arrays - Whole arrays by the names of the members, for a template that ends in `.npz`.
   * @throws NpyError `ERR_SET_CHANGED`, `ERR_TEMPLATE_PATH`, those of `writeNpz`; `signal.reason` when the attempt is over.
   */
  <F extends object>(
    names: NameTemplate<F>,
    fields: NoInfer<F>,
    arrays: Readonly<Record<string, ArrayInput>>,
    options?: Omit<WriteNpzOptions, "overwrite" | "signal">,
  ): Promise<string>;
}

/** What a commit depends on. */
export interface CommitContext {
  /** Folder below which results are written. */
  readonly out: string;
  readonly signal: AbortSignal;
  /** Throws where the set is no longer what the result was made of. */
  readonly verify: () => Promise<void>;
}

/** Makes the `commit` of one attempt. */
export function createCommit(context: CommitContext): Commit {
  const { out, signal } = context;
  return async <F extends object>(
    names: NameTemplate<F>,
    fields: F,
    output: unknown,
    options: object = {},
  ): Promise<string> => {
    const { template } = names;
    const isArchive = template.endsWith(".npz");
    if (!isArchive && !template.endsWith(".npy")) {
      throw new TypeError(`the template ${template} must end in .npy or .npz`);
    }
    if (isArchive && (typeof output !== "object" || output === null)) {
      throw new TypeError(`a result of ${template} is an object of arrays`);
    }
    signal.throwIfAborted();
    const path = join(out, names.format(fields));
    await mkdir(dirname(path), { recursive: true });
    const sink = await guardedSink(path, context);
    if (signal.aborted) {
      // A writer that is given a signal which has aborted takes nothing over, and would leave the file behind.
      await sink.abort();
      signal.throwIfAborted();
    }
    // Which of the three it is was told apart above, and the writers check what they are given.
    if (isArchive) {
      await writeNpz(sink, output as Record<string, ArrayInput>, { ...options, signal });
    } else if (typeof output === "function") {
      await writeStream(createNpyWriteStream(sink, { ...options, signal }), (stream) => output(stream));
    } else {
      await writeNpy(sink, output as ArrayInput, { ...options, signal });
    }
    return path;
  };
}

/** A file that takes the place of an earlier one, unless what it was made of has changed meanwhile. */
async function guardedSink(
  path: string,
  { signal, verify }: CommitContext,
): Promise<ByteSink & { readonly path: string }> {
  const sink = await fileSink(path, { overwrite: true });
  return {
    seekable: true,
    path,
    write: (bytes, position) => sink.write(bytes, position),
    commit: async () => {
      await verify();
      signal.throwIfAborted();
      await sink.commit();
    },
    abort: () => sink.abort(),
  };
}

async function writeStream(out: NpyWriteStream, write: (out: NpyWriteStream) => unknown): Promise<void> {
  // Disposing of it drops what is not finished.
  await using stream = out;
  await write(stream);
  await stream.finish();
}
