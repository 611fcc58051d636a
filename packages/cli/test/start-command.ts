import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
/** What Node is given to run the command from its sources. */
export const NODE = [
  process.execPath,
  "--conditions=@npystream/source",
  `--import=${import.meta.resolve("tsx")}`,
  main,
] as const;

/** A run of the command in a process of its own. */
export class RunningCommand {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #closed: Promise<unknown>;

  /** @param program - Program that runs the command: Node, or one that gives it a terminal. */
  constructor(argv: readonly string[], program: readonly string[] = NODE) {
    const [file = "", ...rest] = program;
    this.child = spawn(file, [...rest, ...argv], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.#closed = once(this.child, "close");
  }

  /** What was printed on stdout, as JSON lines; a line that has not ended is left out. */
  events(): Record<string, unknown>[] {
    const lines = this.stdout.split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Waits until something holds of what was printed, which is looked at whenever there is more. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`the command has ended: ${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Waits for its end, and gives the exit code or the signal. */
  async end(): Promise<number | NodeJS.Signals | null> {
    await this.#closed;
    return this.child.exitCode ?? this.child.signalCode;
  }
}
