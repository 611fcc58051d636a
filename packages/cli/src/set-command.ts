import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { ArraySet, SetArray } from "@npystream/pipeline-discovery";
import { UsageError } from "./usage-error.ts";

/** A command ended otherwise than with 0. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** Whether the shell could not run it at all, as it would be with every other set. */
  readonly isUnusable: boolean;

  constructor(how: string, lastLine: string, isUnusable: boolean) {
    super(lastLine === "" ? `the command ended with ${how}` : `the command ended with ${how}: ${lastLine}`);
    this.isUnusable = isUnusable;
  }
}

/** How a command is run. */
export interface SetCommandOptions {
  /** Ends it: SIGTERM, and SIGKILL where that does not do. */
  readonly signal: AbortSignal;
  /** All of its variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Takes a line that the command printed on either output; it prints no more until this is done. */
  readonly onLine: (line: string) => Promise<void>;
}

/**
 * Milliseconds that a command has between SIGTERM and SIGKILL. A stage waits for a second after an abort, and a command must
 * be gone by then, so that no other attempt runs beside it.
 */
const GRACE_MS = 500;
/** Characters of a line at which it is handed on before its end. */
const LONGEST_LINE = 1 << 14;
/** Characters of the last line of stderr that a failure quotes. */
const LONGEST_QUOTE = 200;
/** What a POSIX shell ends with where it cannot run a command, or cannot find it (XCU 2.8.2). */
const UNUSABLE = [126, 127];

const SHELL_NAMES = ["KEY", "ATTEMPT"];

/**
 * Refuses a command that is none, as `--exec "$COMMAND"` gives where the variable is not set.
 *
 * @throws UsageError
 */
export function checkCommand(exec: string): void {
  if (exec.trim() === "") throw new UsageError("--exec is empty: it takes a command for the shell");
}

/**
 * Gives the variables of a set by name, and refuses roles and fields whose names would be the same variable.
 *
 * @throws UsageError
 */
export function commandVariables(roles: readonly string[], fields: readonly string[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  const owners = new Map<string, string>(SHELL_NAMES.map((name) => [`NPYSTREAM_${name}`, "every set's own variable"]));
  const all = [...roles.map((role) => ["role", role]), ...fields.map((field) => ["field", field])];
  for (const [kind = "", name = ""] of all) {
    const variable = `NPYSTREAM_${kind === "field" ? "FIELD_" : ""}${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
    const other = owners.get(variable);
    if (other !== undefined) {
      throw new UsageError(`${variable} would stand for both the ${kind} ${name} and ${other}: give one another name`);
    }
    owners.set(variable, `the ${kind} ${name}`);
    variables.set(`${kind} ${name}`, variable);
  }
  return variables;
}

/**
 * The environment of a command: the key, a path for each role (`file.npz#member` in an archive), and the fields.
 *
 * @throws UsageError where two of them would be the same variable.
 */
export function commandEnvironment({ key, fields, arrays }: ArraySet, attempt: number): Record<string, string> {
  const variables = commandVariables(Object.keys(arrays), Object.keys(fields));
  const environment: Record<string, string> = { NPYSTREAM_KEY: key, NPYSTREAM_ATTEMPT: String(attempt) };
  const add = (name: string, value: string): void => {
    const variable = variables.get(name);
    if (variable !== undefined) environment[variable] = value;
  };
  for (const { role, path, member } of Object.values(arrays) as SetArray[]) {
    add(`role ${role}`, member === undefined ? path : `${path}#${member}`);
  }
  for (const [name, value] of Object.entries(fields)) add(`field ${name}`, String(value));
  return environment;
}

/**
 * Runs a command in the system's shell and waits until it has ended and its outputs are closed.
 *
 * It has a process group of its own, so that Ctrl-C on a terminal reaches this process alone, which then lets commands end.
 *
 * @throws CommandError where it ended otherwise than with 0; `signal.reason`; system errors where there is no shell.
 */
export async function runSetCommand(command: string, options: SetCommandOptions): Promise<void> {
  const { signal, environment, onLine } = options;
  signal.throwIfAborted();
  const child = spawn(command, {
    shell: true,
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
  });
  const closed = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, by) => resolve([code, by]));
  });
  const ended = new AbortController();
  let lastLine = "";
  const onError = async (line: string): Promise<void> => {
    if (line.trim() !== "") lastLine = line.trim().slice(0, LONGEST_QUOTE);
    await onLine(line);
  };
  const ending = endOnAbort(child, signal, ended.signal);
  try {
    const lines = [forwardLines(child.stdout, onLine), forwardLines(child.stderr, onError)];
    const [[code, by]] = await Promise.all([closed, ...lines]);
    if (code !== 0) throw new CommandError(by ?? `exit code ${code}`, lastLine, UNUSABLE.includes(code ?? 0));
  } catch (error) {
    // Where it is still there, its lines cannot be written, and nobody would see to its end.
    if (child.exitCode === null && child.signalCode === null) killGroup(child, "SIGKILL");
    throw signal.aborted ? signal.reason : error;
  } finally {
    ended.abort();
    await ending;
  }
}

async function forwardLines(output: Readable, onLine: (line: string) => Promise<void>): Promise<void> {
  let rest = "";
  output.setEncoding("utf8");
  for await (const text of output as AsyncIterable<string>) {
    const lines = (rest + text).split(/\r?\n|\r/);
    rest = lines.pop() ?? "";
    for (const line of lines) await onLine(line);
    if (rest.length > LONGEST_LINE) {
      await onLine(rest);
      rest = "";
    }
  }
  if (rest !== "") await onLine(rest);
}

async function endOnAbort(child: ChildProcess, signal: AbortSignal, over: AbortSignal): Promise<void> {
  if (!signal.aborted) {
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true, signal: over });
      over.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  if (over.aborted) return;
  killGroup(child, "SIGTERM");
  await sleep(GRACE_MS, undefined, { signal: over }).catch(() => undefined);
  if (over.aborted) return;
  killGroup(child, "SIGKILL");
  // What left the group may still hold the outputs, and is not waited for.
  child.stdout?.destroy();
  child.stderr?.destroy();
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill(name);
    else process.kill(-child.pid, name);
  } catch {
    // It has ended meanwhile.
  }
}
