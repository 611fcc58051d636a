import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";
import type { ProducerMessage } from "./producer.ts";

/** A producer at work in a process of its own. Disposing of it ends the process. */
export interface Producer extends AsyncDisposable {
  /** Resolves with the names of all pairs dropped when the process has ended well; rejects when it has not. */
  readonly ended: Promise<ReadonlySet<string>>;
}

/** Starts the producer on a CSV file; `onDropped` is called with the name of every pair it has dropped into `folder`. */
export function startProducer(csv: string, folder: string, onDropped: (pair: string) => void): Producer {
  // The producer stands beside this file, as TypeScript in the source and as JavaScript in the build.
  const script = join(import.meta.dirname, `producer${extname(import.meta.filename)}`);
  const child = fork(script, [csv, folder], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const ended = followToEnd(child, onDropped);
  return {
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await Promise.allSettled([ended]);
    },
  };
}

async function followToEnd(child: ChildProcess, onDropped: (pair: string) => void): Promise<ReadonlySet<string>> {
  const dropped = new Set<string>();
  let total: number | undefined;
  child.on("message", (message) => {
    // The channel carries what producer.ts sends and nothing else.
    const told = message as ProducerMessage;
    if (told.kind === "ended") {
      total = told.pairs;
    } else {
      dropped.add(told.pair);
      onDropped(told.pair);
    }
  });
  // A message may still be on its way when the process has gone; none is after the channel has closed.
  const [[code, signal]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
  if (code !== 0) {
    throw new Error(`the producer process ended with ${signal === null ? `exit code ${code}` : signal}`);
  }
  if (total !== dropped.size) {
    throw new Error(`the producer process announced ${dropped.size} pairs and then said it dropped ${total}`);
  }
  return dropped;
}
