/** The command was asked for something that does not fit the file: wrong use, exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
