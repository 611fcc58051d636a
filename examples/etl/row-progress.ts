import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";

/** Shows how much of a file was worked through. */
export interface RowProgress extends Disposable {
  /** Tells how far the work is. @param bytes - Read of the file. @param rows - Made of them. */
  update(bytes: number, rows: number): void;
}

/** Plain lines are told after each of so many parts of the file. */
const PARTS = 10;

/** Shows progress as a bar where `stream` is a terminal, and elsewhere as a plain line for every tenth of the file. */
export function createRowProgress(
  stream: NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY">>,
  byteLength: number,
): RowProgress {
  return stream.isTTY === true ? barProgress(stream, byteLength) : lineProgress(stream, byteLength);
}

function barProgress(stream: NodeJS.WritableStream, byteLength: number): RowProgress {
  const bar = new SingleBar({
    stream,
    format: "{bar} {percentage}%  {rows} rows, {eta_formatted} left",
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 30,
    hideCursor: true,
  });
  bar.start(byteLength, 0, { rows: 0 });
  return {
    update: (bytes, rows) => bar.update(bytes, { rows: rows.toLocaleString("en") }),
    [Symbol.dispose]: () => bar.stop(),
  };
}

function lineProgress(stream: NodeJS.WritableStream, byteLength: number): RowProgress {
  let told = 0;
  return {
    update: (bytes, rows) => {
      const part = Math.floor((bytes * PARTS) / byteLength);
      if (part <= told) return;
      told = part;
      stream.write(`${Math.round((100 * part) / PARTS)}% read, ${rows} rows\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}
