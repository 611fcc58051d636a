import { isNpyError, NpyError } from "@npystream/codec";

/**
 * Words what the writer says of OUT for somebody at a shell: an option by its flag, a missing folder by its name. The
 * system's error, whose code and text would stand in the line instead, is left out; every other failure stays as it is.
 */
export function convertFailure(error: unknown): unknown {
  if (!isNpyError(error)) return error;
  // It is the file's failure, of whichever array it came from.
  const place = { path: error.path };
  if (error.code === "ERR_WRITE_EXISTS") {
    return new NpyError(error.code, "it exists already; --overwrite replaces it", place);
  }
  const { cause } = error;
  const isMissingFolder = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  return error.code === "ERR_WRITE_IO" && isMissingFolder ? new NpyError(error.code, error.message, place) : error;
}
