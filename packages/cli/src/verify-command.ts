import { ArrayFile } from "./array-file.ts";
import { type CommandIo, textStyle } from "./command-io.ts";
import { describeFailure } from "./error-line.ts";
import type { FileReference } from "./file-reference.ts";
import { printable } from "./printable-text.ts";
import { shapeText } from "./shape-text.ts";
import { OutputError, type TextOutput } from "./text-output.ts";
import { type VerifiedArray, type VerifiedMember, verifyArchive, verifyNpy } from "./verification.ts";

/** What `npystream verify` was asked for. */
export interface VerifyOptions {
  /** One JSON document a line instead of text. */
  readonly json?: boolean;
  /** Whether bytes behind the array of a `.npy` are an error. */
  readonly strict?: boolean;
}

/** A file without a fault, in words and as `--json` has it beside path and ok. */
interface Praise {
  readonly text: string;
  readonly fields: { readonly trailingBytes?: number };
}

/**
 * Reads one file to its end and prints a line: ok and what it holds, or bad and why. An archive has a line for each of its
 * bad members.
 *
 * @returns Whether all of it is good; a file that cannot be read is not.
 * @throws OutputError where the lines cannot be written.
 */
export async function verify(
  { path, member }: FileReference,
  options: VerifyOptions,
  io: CommandIo,
  output: TextOutput,
): Promise<boolean> {
  const style = textStyle(io);
  let isOk = true;
  const fail = async (error: unknown, named: string | undefined): Promise<void> => {
    isOk = false;
    const failure = describeFailure(error, named);
    const { code, message } = failure;
    if (options.json) await output.write(`${JSON.stringify({ path, ok: false, ...failure })}\n`);
    else
      await output.write(`${style.bold("bad")} ${printable(`${code} ${placeOf(path, failure.member)}: ${message}`)}\n`);
  };
  try {
    const { text, fields } = await readFile({ path, ...(member === undefined ? {} : { member }) }, options, io, fail);
    if (isOk && options.json) await output.write(`${JSON.stringify({ path, ok: true, ...fields })}\n`);
    else if (isOk) await output.write(`ok ${printable(placeOf(path, member))} ${style.dim(printable(text))}\n`);
  } catch (error) {
    if (error instanceof OutputError) throw error;
    await fail(error, member);
  }
  // Whoever waits for a long list sees each file when it is done.
  await output.flush();
  return isOk;
}

async function readFile(
  { path, member }: FileReference,
  options: VerifyOptions,
  io: CommandIo,
  onFailure: (error: unknown, member: string) => Promise<void>,
): Promise<Praise> {
  await using file = await ArrayFile.open(path, io.stdin);
  if (file.kind === "npz")
    return { text: archiveText(await verifyArchive(file, member, onFailure), member), fields: {} };
  const { trailingBytes, ...array } = await verifyNpy(file, member, options.strict === true);
  if (trailingBytes === 0) return { text: arrayText(array), fields: {} };
  return { text: `${arrayText(array)}, ${counted(trailingBytes, "byte")} behind it`, fields: { trailingBytes } };
}

function arrayText({ dtype, shape }: VerifiedArray): string {
  return `${dtype} ${shapeText(shape)}`;
}

function archiveText(members: readonly VerifiedMember[], named: string | undefined): string {
  const arrays = members.flatMap(({ array }) => (array === undefined ? [] : [array]));
  const [first] = members;
  if (named !== undefined && first !== undefined) {
    return first.array === undefined ? counted(first.byteLength, "byte") : arrayText(first.array);
  }
  const others = members.length - arrays.length;
  const text = counted(arrays.length, "array");
  return others === 0 ? text : `${text}, ${counted(others, "other member")}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function placeOf(path: string, member: string | undefined): string {
  return member === undefined ? path : `${path}#${member}`;
}
