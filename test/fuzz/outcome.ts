import { isNpyError } from "@npystream/codec";

/** What decoding gave: a value, or the code of the error that came out. */
export type Outcome<T> =
  | { readonly value: T; readonly code?: undefined }
  | { readonly value?: undefined; readonly code: string };

/** Something that no input may lead to. */
export class Finding extends Error {
  override readonly name = "Finding";
}

const DECODE_CODE = /^ERR_(NPY|NPZ|LIMIT)_[A-Z]+$/;
/** A shape of 64 axes in full is shorter. */
const MAX_MESSAGE = 2000;
const MAX_EXTERNAL_BYTES = 16 << 20;

/**
 * Decodes in one way, and refuses every end of it that is neither a value nor an error as documented, as well as one that took
 * more memory outside the heap than it may and 16 MiB.
 *
 * @param warrantedBytes - What the input's size is reason for; what the collector has yet to take is counted with it.
 * @param bytesOf - What a value that comes out is reason for on top. @defaultValue nothing
 * @throws Finding
 */
export async function outcomeOf<T>(
  what: string,
  warrantedBytes: number,
  decode: () => T | Promise<T>,
  bytesOf: (value: T) => number = () => 0,
): Promise<Outcome<T>> {
  const [outcome, taken] = await measured(what, decode);
  const held = outcome.code === undefined ? bytesOf(outcome.value) : 0;
  const limit = warrantedBytes + held + MAX_EXTERNAL_BYTES;
  if (taken <= limit) return outcome;
  // What another decoder left to the collector may have been counted: once more, after it has been collected.
  globalThis.gc?.();
  const [, again] = await measured(what, decode);
  if (again > limit) throw new Finding(`${what} takes ${again} bytes, where its size is reason for ${limit}`);
  return outcome;
}

async function measured<T>(what: string, decode: () => T | Promise<T>): Promise<[Outcome<T>, number]> {
  const before = process.memoryUsage().external;
  let outcome: Outcome<T>;
  try {
    outcome = { value: await decode() };
  } catch (error) {
    outcome = { code: codeOf(what, error) };
  }
  return [outcome, process.memoryUsage().external - before];
}

function codeOf(what: string, error: unknown): string {
  if (error instanceof Finding) throw error;
  if (!isNpyError(error)) {
    throw new Finding(`${what} throws ${error instanceof Error ? error.stack : String(error)}`, { cause: error });
  }
  const { code, message } = error;
  if (!DECODE_CODE.test(code)) throw new Finding(`${what} gives ${code}: ${message.slice(0, 200)}`);
  if (/[\p{Cc}\u2028\u2029]/u.test(message)) {
    throw new Finding(`${what} gives ${code} in more than one line: ${JSON.stringify(message.slice(0, 200))}`);
  }
  if (message.length > MAX_MESSAGE) throw new Finding(`${what} gives ${code} in ${message.length} characters`);
  return code;
}
