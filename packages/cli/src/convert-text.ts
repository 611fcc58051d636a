import { humanBytes } from "./byte-size.ts";
import type { Converted } from "./convert-command.ts";
import { printable } from "./printable-text.ts";
import { shapeText } from "./shape-text.ts";

/** Says what was written, a line an array and one for what was left out. */
export function convertedText({ path, arrays, byteLength, leftOut = [] }: Converted): string {
  const lines = arrays.map(({ member, dtype, shape }) => {
    return `${member === undefined ? path : `${path}#${member}`} ${dtype} ${shapeText(shape)}`;
  });
  if (leftOut.length > 0) lines.push(`left out, since they are no arrays: ${leftOut.join(", ")}`);
  lines.push(`${path} ${humanBytes(byteLength)}`);
  return lines.map((line) => `${printable(line)}\n`).join("");
}
