/** A stable error code; each one is a heading in the project's `docs/errors.md`. */
export type NpyErrorCode = `ERR_${string}`;

/** Where an error happened. */
export interface NpyErrorLocation {
  /** File or URL. */
  readonly path?: string | undefined;
  /** Name of the `.npz` member, without `.npy`. */
  readonly member?: string | undefined;
}

/** What is known of an error beside its code and message. */
export interface NpyErrorDetails extends NpyErrorLocation {
  /** Position in bytes in the file or member. */
  readonly offset?: number;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/** Key of the mark that errors of every installed copy of this package carry. */
const brand = "npystreamError";

/** A file that is not what it should be, or an I/O that failed. Bad arguments are `TypeError` or `RangeError` instead. */
export class NpyError extends Error {
  /** Always `NpyError`. */
  override readonly name = "NpyError";
  /** Stable code to branch on. */
  readonly code: NpyErrorCode;
  /** Position in bytes in the file or member, where one is known. */
  readonly offset: number | undefined;
  /** Marks the error for {@link isNpyError}. */
  readonly npystreamError = true;
  #path: string | undefined;
  #member: string | undefined;

  constructor(code: NpyErrorCode, message: string, details: NpyErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.offset = details.offset;
    this.#path = details.path;
    this.#member = details.member;
  }

  /** File or URL, where one is known. */
  get path(): string | undefined {
    return this.#path;
  }

  /** Name of the `.npz` member without `.npy`, where the error is in one. */
  get member(): string | undefined {
    return this.#member;
  }

  /** Fills in path and member where the thrower did not know them, and returns the error itself. */
  locate(where: NpyErrorLocation): this {
    this.#path ??= where.path;
    this.#member ??= where.member;
    return this;
  }
}

/** Tells whether `error` is an {@link NpyError}, also one thrown by another installed copy of this package. */
export function isNpyError(error: unknown): error is NpyError {
  return error instanceof Error && brand in error;
}
