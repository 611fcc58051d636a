import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of `test/programs` in a process of its own, which says what happens in lines of JSON. */
export class ChildProgram implements AsyncDisposable {
  /** What it has said. */
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  /** @param wrapper - A command that runs the one behind it, such as `unshare`. */
  constructor(name: string, parameters: readonly string[], wrapper: readonly string[] = []) {
    const program = join(import.meta.dirname, "..", "programs", name);
    const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, program];
    const [command = "", ...rest] = [...wrapper, process.execPath, ...node, ...parameters];
    this.#child = spawn(command, rest, { stdio: ["ignore", "pipe", "inherit"] });
    this.#ended = once(this.#child, "close");
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.lines.push(JSON.parse(line)));
    }
  }

  /** What it said of one kind. */
  said(kind: string): unknown[] {
    return this.lines.filter((line) => kind in line).map((line) => line[kind]);
  }

  /** Waits until it has said so much of one kind, or has ended. */
  async waitFor(kind: string, count: number): Promise<void> {
    while (this.said(kind).length < count && this.#child.exitCode === null && this.#child.signalCode === null) {
      await sleep(5);
    }
  }

  /** Waits until it has ended, and gives its exit code. */
  async end(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}

/** Tells whether a command can be run here and succeeds. */
export function succeeds(command: readonly string[]): boolean {
  const [name = "", ...parameters] = command;
  return spawnSync(name, parameters, { stdio: "ignore" }).status === 0;
}
