import type { WriteStream } from "node:tty";
import { SingleBar } from "cli-progress";

/** Shows how far a job is, in steps whose number may grow while it runs. */
export interface Progress extends Disposable {
  /** Adds steps to those that are still to come; those that are done already are taken off. */
  expect(steps: number): void;
  /** One step is done; `message` says which. */
  step(message: string): void;
  /** Says something that is no step. */
  note(message: string): void;
}

/** Shows progress as one bar where `stream` is a terminal, and as a plain line a step elsewhere. */
export function createProgress(stream: NodeJS.WritableStream & Partial<Pick<WriteStream, "isTTY">>): Progress {
  return stream.isTTY === true ? barProgress(stream) : lineProgress(stream);
}

function barProgress(stream: NodeJS.WritableStream): Progress {
  const bar = new SingleBar({
    stream,
    format: "{bar} {percentage}%  {message}",
    barCompleteChar: "\u2588",
    barIncompleteChar: "\u2591",
    barsize: 30,
    hideCursor: true,
    linewrap: true,
  });
  let total = 0;
  bar.start(total, 0, { message: "starting" });
  return {
    expect: (steps) => {
      total += steps;
      bar.setTotal(total);
    },
    step: (message) => bar.increment(1, { message }),
    note: (message) => bar.update({ message }),
    [Symbol.dispose]: () => bar.stop(),
  };
}

function lineProgress(stream: NodeJS.WritableStream): Progress {
  const write = (message: string): void => void stream.write(`${message}\n`);
  return {
    expect: () => undefined,
    step: write,
    note: write,
    [Symbol.dispose]: () => undefined,
  };
}
