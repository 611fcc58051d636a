import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";

/** A producer at work in a process of its own. Disposing of it ends the process. */
export interface Producer extends AsyncDisposable {
  /** Resolves with the number of pairs that are there when the process has ended well; rejects when it has not. */
  readonly ended: Promise<number>;
}

/** Starts the producer on a CSV file; what is missing of its pairs it drops into `folder`. */
export function startProducer(csv: string, folder: string): Producer {
  // The producer stands beside this file, as TypeScript in the source and as JavaScript in the build.
  const script = join(import.meta.dirname, `producer${extname(import.meta.filename)}`);
  const child = fork(script, [csv, folder], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ended = followToEnd(child);
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await Promise.allSettled([ended]);
    },
  };
}

async function followToEnd(child: ChildProcess): Promise<number> {
  let pairs = 0;
  child.on("message", (told) => {
    pairs = Number(told);
  });
  // A message may still be on its way when the process has gone; none is after the channel has closed.
  const [[code, signal]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
  if (code !== 0) {
    throw new Error(`the producer process ended with ${signal === null ? `exit code ${code}` : signal}`);
  }
  return pairs;
}
