import type { ByteReadOptions, DType, NameFields } from "@npystream/codec";
import type { ArrayHandle } from "@npystream/reader-stream";
import type { RoleDType, SetContract } from "./set-contract.ts";

/** One array of a set: known by its header, not opened yet. */
export interface SetArray<D extends DType = DType> {
  /** What the array is in the set: its name in the contract. */
  readonly role: string;
  /** Absolute path of the file. */
  readonly path: string;
  /** Name of the member in a `.npz`, without `.npy`. */
  readonly member?: string;
  /** Absolute paths of the files whose rows make up the array, in their order, where `path` is the manifest of shards. */
  readonly shards?: readonly string[];
  /** Element type, by the header. */
  readonly dtype: D;
  /** Extent of each axis, by the header. */
  readonly shape: readonly number[];
  /** Bytes of the elements, by the header. */
  readonly byteLength: number;
  /**
   * Opens the array for reading, after another look at its file. Whoever opens it closes it.
   *
   * @throws NpyError `ERR_SET_CHANGED` where the file is no longer the one that was delivered, and those of `openNpy`.
   */
  open(options?: ByteReadOptions): Promise<ArrayHandle<D>>;
}

/** The arrays of a set by role, with the dtypes that the contract `S` gives them. */
export type SetArrays<S extends SetContract> = {
  readonly [R in keyof S["roles"] & string]: SetArray<RoleDType<S["roles"][R]>>;
};

/** The fields of a set: those of its files' names `F`, without the role. */
export type SetFields<F extends object> = { readonly [N in Exclude<keyof F, "role">]: F[N] };

/**
 * Files that belong together, complete and as the contract asks.
 *
 * Whoever takes a set settles it once: by `ack`, `release` or `quarantine`. The first of them counts.
 */
export interface ArraySet<F extends object = NameFields, S extends SetContract = SetContract> {
  /** Names this state of the set in ledgers and queues: SHA-256 in hex of pipeline, key and generation. */
  readonly id: string;
  /** Names the set in its root: the fields without the role, as they stand in the path, joined by `/`. */
  readonly key: string;
  /** What the names of the files say. */
  readonly fields: SetFields<F>;
  /** Absolute path of the root folder. */
  readonly root: string;
  /**
   * Roles of which there is no complete file: none, but for a set that is delivered unfinished because `onIncomplete` asks for
   * that, and whose `arrays` lack them.
   */
  readonly missing: readonly string[];
  /** The arrays by their role. */
  readonly arrays: SetArrays<S>;
  /**
   * Tells this state of the files from any other: SHA-256 in hex of headers, inodes, sizes and times, or of the content
   * where `verify` is `'digest'`.
   */
  readonly generation: string;
  /**
   * Looks at the files again.
   *
   * @throws NpyError `ERR_SET_CHANGED` where one is no longer the one that was delivered. What it is now is delivered anew
   *   once it is complete.
   */
  verify(): Promise<void>;
  /**
   * Says that the set is done. It is not delivered again unless its files change. With a ledger, this waits until that is
   * on disk.
   *
   * @throws NpyError `ERR_LEDGER_IO`, `ERR_WRITE_NO_SPACE` where the ledger cannot be written.
   */
  ack(): Promise<void>;
  /** Gives the set back, to be delivered again. */
  release(): Promise<void>;
  /** Sets the set aside for this reason. It is not delivered again unless its files change. */
  quarantine(reason: string | Error): Promise<void>;
}

/** A set that was set aside. */
export interface QuarantinedSet {
  /** Names the set in its root. */
  readonly key: string;
  /** What the names of the files say. */
  readonly fields: NameFields;
  /** Absolute path of the root folder. */
  readonly root: string;
  /** Absolute paths of the files. */
  readonly paths: readonly string[];
  /** Why, for people; it names both sides of what does not fit. */
  readonly reason: string;
  /** Why, for programs: `ERR_SET_CONTRACT`, what is wrong with a file, or what a stage failed with. */
  readonly error: Error;
}

/** A set that has not become complete for a while. */
export interface IncompleteSet {
  /** Names the set in its root. */
  readonly key: string;
  /** What the names of the files say. */
  readonly fields: NameFields;
  /** Absolute path of the root folder. */
  readonly root: string;
  /** Absolute paths of the files that are there. */
  readonly paths: readonly string[];
  /** Roles of which there is no file. */
  readonly missing: readonly string[];
  /** Why it is not complete, for people. */
  readonly reason: string;
}
