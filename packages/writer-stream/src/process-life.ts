import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { errnoOf } from "./write-error.ts";

/** Names one run of one process, so that a later process of the same number is not taken for it. */
export interface ProcessLife {
  /** Installation, host name and process namespace: the same number means another process elsewhere. */
  readonly machine: string;
  /** Process number. */
  readonly pid: number;
  /** Boot and moment of start, `0` where the system does not tell them. */
  readonly start: string;
}

const UNKNOWN_START = "0";
const LIFE = /^([0-9a-f]{10})-([0-9]{1,10})-([0-9a-f]{1,10})-[0-9a-f]{12}$/;

let own: ProcessLife | undefined;

/** The process this runs in. */
export function ownLife(): ProcessLife {
  own ??= lifeOf(process.pid);
  return own;
}

/** A process of this machine that runs now. */
export function lifeOf(pid: number): ProcessLife {
  return { machine: machineOf(), pid, start: startOf(pid) ?? UNKNOWN_START };
}

/**
 * Tells whether the process may still run; false only where it certainly does not. A process of another machine or
 * container may, since nothing here tells.
 */
export function mayBeAlive(life: ProcessLife): boolean {
  if (life.machine !== ownLife().machine) return true;
  try {
    process.kill(life.pid, 0);
  } catch (error) {
    // EPERM is a process of another user's.
    return errnoOf(error) !== "ESRCH";
  }
  const start = startOf(life.pid);
  if (start === undefined || life.start === UNKNOWN_START) return true;
  return start === life.start;
}

/** Writes a life as a part of a file's name, `<machine>-<pid>-<start>`. */
export function formatLife({ machine, pid, start }: ProcessLife): string {
  return `${machine}-${pid}-${start}`;
}

/** Reads `<machine>-<pid>-<start>-<random>`, a name that one run of one process has given once; undefined for others. */
export function parseLife(name: string): ProcessLife | undefined {
  const [, machine, pid, start] = LIFE.exec(name) ?? [];
  if (machine === undefined || pid === undefined || start === undefined) return undefined;
  return { machine, pid: Number(pid), start };
}

/** Start of a process as Linux tells it; undefined on other systems and for processes that are hidden. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc(5): the name in field 2 may hold spaces and brackets, so fields count from the last bracket. Field 3 is the
    // state, 22 the start in clock ticks since boot.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    // Killed and not yet waited for: a zombie holds nothing open.
    if (state === "Z" || state === "X") return "dead";
    return digest(`${boot} ${fields[19]}`);
  } catch {
    return undefined;
  }
}

function machineOf(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Not Linux: one namespace for all.
  }
  return digest(`${hostname()} ${namespace} ${installation()}`);
}

/** Tells hosts of one name apart, machine-id(5); containers may have none, and other systems have not. */
function installation(): string {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim();
  } catch {
    return "";
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 10);
}
