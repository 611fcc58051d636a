import { csvError } from "./csv-lines.ts";

/**
 * Decodes pieces of UTF-8, wherever they are cut, without the byte order mark that spreadsheets put in front.
 *
 * @throws NpyError `ERR_TEXT_PARSE` for bytes that are none, with the line they stand in.
 */
export async function* decodeUtf8(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  for await (const piece of pieces) {
    const text = decodeOr(
      () => decoder.decode(piece, { stream: true }),
      () => line + linesBeforeFault(piece),
    );
    line += countLines(text);
    yield text;
  }
  yield decodeOr(
    () => decoder.decode(),
    () => line,
  );
}

/** Cuts text into its lines, without the line feeds. */
export async function* textLines(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let begun = "";
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      yield begun + piece.slice(start, end);
      begun = "";
      start = end + 1;
    }
    begun += piece.slice(start);
  }
  if (begun !== "") yield begun;
}

function decodeOr(decode: () => string, faultLine: () => number): string {
  try {
    return decode();
  } catch (cause) {
    throw csvError(faultLine(), "its bytes are no UTF-8; save the text in that encoding", cause);
  }
}

function linesBeforeFault(piece: Uint8Array): number {
  // The rest of a character that an earlier piece began.
  const start = piece.findIndex((byte) => byte >> 6 !== 0b10);
  const text = new TextDecoder().decode(piece.subarray(Math.max(0, start)));
  return countLines(text.slice(0, Math.max(0, text.indexOf("\ufffd"))));
}

function countLines(text: string): number {
  let count = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) count++;
  return count;
}
