import { ArrayFile } from "./array-file.ts";
import { type CommandIo, textStyle } from "./command-io.ts";
import type { FileReference } from "./file-reference.ts";
import { archiveListing, arrayListing } from "./inspect-listing.ts";
import { inspectArchive, inspectArray, type MemberFailure } from "./inspection.ts";
import type { TextOutput } from "./text-output.ts";

/** What `npystream inspect` was asked for. */
export interface InspectOptions {
  /** One JSON document a line instead of a listing. */
  readonly json?: boolean;
}

/**
 * Prints what one file holds.
 *
 * @param separator - What to print before a listing: an empty line between two.
 * @param onFailure - Told of each member that cannot be read; the others are printed.
 * @throws NpyError and system errors where the file cannot be read at all.
 */
export async function inspect(
  { path, member }: FileReference,
  options: InspectOptions & { readonly separator: string },
  io: CommandIo,
  output: TextOutput,
  onFailure: MemberFailure,
): Promise<void> {
  await using file = await ArrayFile.open(path, io.stdin);
  const style = textStyle(io);
  if (file.kind === "npy") {
    const array = await inspectArray(file, member);
    if (options.json) await output.write(`${JSON.stringify({ path, kind: file.kind, arrays: [array] })}\n`);
    else await output.write(options.separator + arrayListing(path, file.byteLength, array, style));
    return;
  }
  const members = await inspectArchive(file, member, onFailure);
  const arrays = members.flatMap(({ array }) => (array === undefined ? [] : [array]));
  if (options.json) await output.write(`${JSON.stringify({ path, kind: file.kind, arrays })}\n`);
  else await output.write(options.separator + archiveListing(path, file.byteLength, members, style));
}
