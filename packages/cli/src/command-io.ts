import type { Readable, Writable } from "node:stream";
import { styleText } from "node:util";

/** Where a command writes; a terminal says so and how wide it is. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The streams a command works on: those of the process, or others in their place. */
export interface CommandIo {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: Writable;
  /** Environment variables. @defaultValue `process.env` */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What a terminal shows in another weight; elsewhere the text stays as it is. */
export interface TextStyle {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

/** Gives the styles that `io.stdout` shows: none unless it is a terminal, none where NO_COLOR is set (no-color.org). */
export function textStyle(io: CommandIo): TextStyle {
  const environment = io.environment ?? process.env;
  const styled = io.stdout.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  const style = (format: "bold" | "dim") => (text: string) =>
    styled ? styleText(format, text, { validateStream: false }) : text;
  return { bold: style("bold"), dim: style("dim") };
}
