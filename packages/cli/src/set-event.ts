import { isNpyError } from "@npystream/codec";
import type { ArraySet, IncompleteSet, QuarantinedSet, SetArray } from "@npystream/pipeline-discovery";
import { durationText } from "./duration.ts";
import { describeFailure } from "./error-line.ts";
import { printable } from "./printable-text.ts";
import { shapeText } from "./shape-text.ts";

/** One array of a set, as an event names it. */
export interface EventArray {
  readonly path: string;
  /** Name in an `.npz`. */
  readonly member?: string;
  /** Files of the rows, where `path` is a manifest. */
  readonly shards?: readonly string[];
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** What happens to a set: a line of JSON, or of text. */
export type SetEvent =
  | {
      readonly event: "set";
      readonly key: string;
      readonly fields: Readonly<Record<string, string | number>>;
      readonly arrays: Readonly<Record<string, EventArray>>;
    }
  | {
      readonly event: "done";
      readonly key: string;
      readonly rows: number;
      /** Which attempt it was and how long that took, where it was made here. */
      readonly attempt?: number;
      readonly ms?: number;
    }
  | {
      readonly event: "failed";
      readonly key: string;
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly event: "quarantined";
      readonly key: string;
      readonly code: string;
      readonly message: string;
      readonly paths: readonly string[];
    }
  | {
      readonly event: "incomplete";
      readonly key: string;
      readonly message: string;
      readonly missing: readonly string[];
      readonly paths: readonly string[];
    }
  | { readonly event: "changed" | "released"; readonly key: string };

/** The event that a set was taken. */
export function setEvent({ key, fields, arrays }: ArraySet): SetEvent {
  const listed = (Object.values(arrays) as SetArray[]).map(({ role, path, member, shards, dtype, shape }) => {
    const where = { path, ...(member === undefined ? {} : { member }), ...(shards === undefined ? {} : { shards }) };
    return [role, { ...where, dtype, shape }] as const;
  });
  return { event: "set", key, fields, arrays: Object.fromEntries(listed) };
}

/** The event that an attempt at a set failed. */
export function failedEvent(key: string, attempt: number, error: unknown): SetEvent {
  return { event: "failed", key, attempt, ...reasonOf(error) };
}

/** The event that a set was set aside. */
export function quarantinedEvent({ key, error, reason, paths }: QuarantinedSet): SetEvent {
  return { event: "quarantined", key, code: reasonOf(error).code, message: reason, paths };
}

/** The event that a set has been incomplete for long. */
export function incompleteEvent({ key, reason, missing, paths }: IncompleteSet): SetEvent {
  return { event: "incomplete", key, message: reason, missing, paths };
}

/** Rows of a set: those of its first array. */
export function rowsOf({ arrays }: ArraySet): number {
  const [first]: readonly SetArray[] = Object.values(arrays);
  return first?.shape[0] ?? 1;
}

/** Words an event for people: one line without its end. */
export function eventText(event: SetEvent, bold: (text: string) => string): string {
  const key = bold(printable(event.key));
  switch (event.event) {
    case "set":
      return [key, ...Object.entries(event.arrays).map(([role, array]) => arrayText(role, array))].join("  ");
    case "done":
      return `done ${key} ${counted(event.rows, "row")}${event.ms === undefined ? "" : ` in ${durationText(event.ms)}`}`;
    case "failed":
      return `failed ${key} attempt ${event.attempt}: ${printable(event.message)}`;
    case "quarantined":
      return `quarantined ${key} ${printable(`${event.code}: ${event.message}`)}`;
    case "incomplete":
      return `incomplete ${key} ${printable(event.message)}`;
    default:
      return `${event.event} ${key}`;
  }
}

function arrayText(role: string, { path, member, dtype, shape }: EventArray): string {
  return printable(`${role} ${dtype} ${shapeText(shape)} ${member === undefined ? path : `${path}#${member}`}`);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function reasonOf(error: unknown): { readonly code: string; readonly message: string } {
  if (isNpyError(error)) return { code: error.code, message: error.message };
  const { code, message } = describeFailure(error);
  return { code, message };
}
