import { NpyError } from "@npystream/codec";

/** A row of a text file and where it stands. */
export interface TextRow<T> {
  /** Line on which it begins, from 1. */
  readonly line: number;
  readonly value: T;
}

/** A field longer than this is a quote that is never closed. */
const MOST_FIELD_CHARACTERS = 16 << 20;

/**
 * Splits comma-separated values into rows of fields (RFC 4180); empty lines are passed over, as `np.loadtxt` does.
 *
 * @throws NpyError `ERR_TEXT_PARSE` for a quote that is not closed or that stands within a field.
 */
export async function* csvRows(pieces: AsyncIterable<string>): AsyncGenerator<TextRow<string[]>> {
  let fields: string[] = [];
  let field = "";
  /** Before a field, in one, in a quoted one, behind the quote that may end it, behind a carriage return. */
  let state: "start" | "plain" | "quoted" | "closed" | "return" = "start";
  let line = 1;
  let rowLine = 1;
  let isQuoted = false;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      if (state === "quoted") {
        const quote = piece.indexOf('"', at);
        const part = piece.slice(at, quote < 0 ? undefined : quote);
        for (let end = part.indexOf("\n"); end >= 0; end = part.indexOf("\n", end + 1)) line++;
        field += part;
        at += part.length + (quote < 0 ? 0 : 1);
        if (quote >= 0) state = "closed";
        if (field.length > MOST_FIELD_CHARACTERS) throw csvError(rowLine, "a quote is not closed");
        continue;
      }
      const character = piece[at++] as string;
      if (character === '"') {
        if (state === "closed") field += '"';
        else if (state !== "start") throw csvError(line, "a quote stands within a field");
        isQuoted = true;
        state = "quoted";
      } else if (character === ",") {
        fields.push(field);
        field = "";
        state = "start";
        // A comma makes a row, though all its fields are empty.
        isQuoted = true;
      } else if (character === "\n" || character === "\r") {
        if (character === "\n" && state === "return") state = "start";
        else {
          if (fields.length > 0 || field !== "" || isQuoted) yield { line: rowLine, value: [...fields, field] };
          fields = [];
          field = "";
          isQuoted = false;
          line++;
          rowLine = line;
          state = character === "\r" ? "return" : "start";
        }
      } else {
        if (state === "closed") throw csvError(line, "text follows the quote that ends a field");
        const from = at - 1;
        while (at < piece.length && !',"\r\n'.includes(piece[at] as string)) at++;
        field += piece.slice(from, at);
        if (field.length > MOST_FIELD_CHARACTERS) throw csvError(rowLine, "a field is longer than 16 MiB");
        state = "plain";
      }
    }
  }
  if (state === "quoted") throw csvError(rowLine, "a quote is not closed");
  if (fields.length > 0 || field !== "" || isQuoted) yield { line: rowLine, value: [...fields, field] };
}

/** Says what is wrong with a line of a text file. */
export function csvError(line: number, message: string, cause?: unknown): NpyError {
  return new NpyError("ERR_TEXT_PARSE", `line ${line}: ${message}`, { cause });
}
