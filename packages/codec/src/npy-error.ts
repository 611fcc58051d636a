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

/** A shape of 64 axes in full is shorter. */
const MAX_MESSAGE = 1900;

/** Key of the mark that errors of every installed copy of this package carry. */
const brand = "npystreamError";

/**
 * A file that is not what it should be, or an I/O that failed. Bad arguments are `TypeError` or `RangeError` instead.
 *
 * What is known of its place is in own properties, so that it is printed and logged with the error.
 */
export class NpyError extends Error {
  /** Stable code to branch on. */
  readonly code: NpyErrorCode;
  /** File or URL, where one is known. */
  declare readonly path?: string;
  /** Name of the `.npz` member without `.npy`, where the error is in one. */
  declare readonly member?: string;
  /** Position in bytes in the file or member, where one is known. */
  declare readonly offset?: number;

  constructor(code: NpyErrorCode, message: string, details: NpyErrorDetails = {}) {
    super(oneLine(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.locate(details);
    if (details.offset !== undefined) Object.assign(this, { offset: details.offset });
  }

  /** Always `NpyError`. */
  override get name(): string {
    return "NpyError";
  }

  /** Marks the error for {@link isNpyError}. */
  get npystreamError(): true {
    return true;
  }

  /** Fills in path and member where the thrower did not know them, and returns the error itself. */
  locate(where: NpyErrorLocation): this {
    for (const key of ["path", "member"] as const) {
      if (this[key] === undefined && where[key] !== undefined) Object.assign(this, { [key]: where[key] });
    }
    return this;
  }
}

/** Tells whether `error` is an {@link NpyError}, also one thrown by another installed copy of this package. */
export function isNpyError(error: unknown): error is NpyError {
  return error instanceof Error && brand in error;
}

/** A message quotes what a file has: without what breaks a line or speaks to a terminal, and not at any length. */
function oneLine(message: string): string {
  const cut = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}...` : message;
  return cut.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
