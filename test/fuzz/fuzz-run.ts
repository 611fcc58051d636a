import { type ChildProcess, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ChildMessage } from "./fuzz-child.ts";

/** What a child decodes. */
export interface Run {
  /** Where the fixtures are. */
  readonly folder: string;
  readonly seed: number;
  /** Number of the input to stop before. */
  readonly last: number;
  /** Time of `performance.now()` to stop at. */
  readonly deadline: number;
}

/** Takes a finding and tells whether to go on. */
export type OnFinding = (index: number, reason: string) => Promise<boolean>;

/** An input that is not decoded in this time is decoded once more alone, since the machine may have been busy. */
const HANG_MS = 2000;
const ALONE_MS = 30_000;
/** A heap that no input of 3 MiB needs, so that one that takes more of it ends the child. */
const HEAP_MIB = 192;
/** Starting takes longer than any input: the sources are compiled. */
const START_MS = 60_000;

/**
 * Decodes inputs in a child, and in another one behind each that ends it.
 *
 * @returns Number of inputs decoded.
 */
export async function runInputs(run: Run, onFinding: OnFinding): Promise<number> {
  let next = 0;
  while (next < run.last && performance.now() < run.deadline) {
    const ended = await runChild(run, next, onFinding);
    next = ended.index + 1;
    if (ended.isOver) break;
    const isReal = !ended.isTold && (!ended.isHang || (await hangsAlone(run, ended.index)));
    if (isReal && !(await onFinding(ended.index, ended.reason ?? "the process ends"))) break;
  }
  return next;
}

/** Decodes one file in a child of its own. @returns What is wrong; `undefined` where nothing is. */
export async function decodeAlone(file: string): Promise<string | undefined> {
  const child = startChild([file]);
  let reason: string | undefined;
  child.on("message", (message: ChildMessage) => {
    if ("reason" in message) reason ??= message.reason;
  });
  const timer = setTimeout(() => {
    reason = "it takes more than 30 s";
    child.kill("SIGKILL");
  }, ALONE_MS);
  const ending = await endOf(child);
  clearTimeout(timer);
  return reason ?? ending;
}

interface Ending {
  /** The input that was being decoded. */
  readonly index: number;
  /** Why the child ended before its time. */
  readonly reason: string | undefined;
  readonly isHang: boolean;
  /** Whether it did all it was to do, or was stopped. */
  readonly isOver: boolean;
  /** Whether it told of this input itself. */
  readonly isTold: boolean;
}

async function runChild(run: Run, first: number, onFinding: OnFinding): Promise<Ending> {
  const child = startChild([run.folder, String(run.seed), String(first), String(run.last)]);
  const state = { index: first - 1, toldOf: -1, isStopped: false, isHang: false };
  const stop = (): void => {
    state.isStopped = true;
    child.kill("SIGKILL");
  };
  const told: Promise<void>[] = [];
  child.on("message", (message: ChildMessage) => {
    if (!("reason" in message)) return;
    state.toldOf = message.index;
    const telling = onFinding(message.index, message.reason).then((goOn) => {
      if (!goOn) stop();
    });
    told.push(telling);
  });
  const hang = (): void => {
    state.isHang = true;
    child.kill("SIGKILL");
  };
  let watch = setTimeout(hang, START_MS);
  const progress = child.stdio[3] as Readable;
  progress.on("data", (bytes: Buffer) => {
    clearTimeout(watch);
    watch = setTimeout(hang, HANG_MS);
    state.index = bytes.readUInt32LE(bytes.length - 4);
  });
  const timer = Number.isFinite(run.deadline)
    ? setTimeout(stop, Math.max(0, run.deadline - performance.now()))
    : undefined;
  const ending = await endOf(child);
  clearTimeout(watch);
  clearTimeout(timer);
  await Promise.all(told);
  // An exception that nobody catches is told of before it ends the child.
  const isTold = state.toldOf === state.index && !state.isHang;
  const reason = state.isHang ? "it takes more than 2 s" : ending;
  return { index: state.index, reason, isHang: state.isHang, isOver: state.isStopped || ending === undefined, isTold };
}

/** Whether an input takes more than 2 s of the processor when nothing else is decoded. */
async function hangsAlone(run: Run, index: number): Promise<boolean> {
  const child = startChild([run.folder, String(run.seed), String(index), String(index + 1)]);
  const timer = setTimeout(() => child.kill("SIGKILL"), ALONE_MS);
  let cpuSeconds = Number.POSITIVE_INFINITY;
  child.on("message", (message: ChildMessage) => {
    if ("longestCpuSeconds" in message) cpuSeconds = message.longestCpuSeconds;
  });
  await endOf(child);
  clearTimeout(timer);
  return cpuSeconds > HANG_MS / 1000;
}

function startChild(args: readonly string[]): ChildProcess {
  const script = fileURLToPath(new URL("./fuzz-child.ts", import.meta.url));
  const flags = ["--import=tsx", "--conditions=@npystream/source", "--expose-gc", `--max-old-space-size=${HEAP_MIB}`];
  return spawn(process.execPath, [...flags, script, ...args], { stdio: ["ignore", "inherit", "pipe", "pipe", "ipc"] });
}

/** Waits for the end of a child. @returns How it crashed; `undefined` where it ended well. */
async function endOf(child: ChildProcess): Promise<string | undefined> {
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => {
    errors = `${errors}${text}`.slice(-4000);
  });
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once("close", (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
  });
  if (code === 0) return undefined;
  // Node's code for an await that nothing will ever end.
  if (code === 13) return "a promise is never settled";
  const lines = errors.split("\n").filter((line) => /^(FATAL|[A-Z]\w*Error|.*Assertion)/.test(line));
  return `the process ends with ${signal ?? code}: ${lines.slice(0, 3).join(" ") || errors.slice(-300)}`;
}
