import { NpyError } from "./npy-error.ts";

/** Unit of a datetime or timedelta: years, months, weeks, days, hours, minutes, seconds and down to attoseconds. */
export type DatetimeUnitName = "Y" | "M" | "W" | "D" | "h" | "m" | "s" | "ms" | "us" | "ns" | "ps" | "fs" | "as";

/** What a datetime or timedelta counts: `{ name: 's', count: 25 }` is 25 seconds. */
export interface DatetimeUnit {
  /** Unit that is counted. */
  readonly name: DatetimeUnitName;
  /** Units a step, from 1. */
  readonly count: number;
}

const UNIT_NAMES: readonly string[] = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"];
/** NumPy keeps the count in a C int. */
const MAX_COUNT = 2 ** 31 - 1;

/**
 * Reads what stands in the brackets of `datetime64[25s]`; nothing is the generic unit.
 *
 * @throws NpyError `ERR_NPY_DTYPE` for a unit there is not.
 */
export function parseDatetimeUnit(text: string): DatetimeUnit | undefined {
  if (text === "" || text === "generic") return undefined;
  const [, digits = "", name = ""] = /^([0-9]{0,10})([A-Za-z\u03bc]{1,2})$/.exec(text) ?? [];
  // NumPy takes the Greek letter for micro too.
  const unit = name === "\u03bcs" ? "us" : name;
  const count = digits === "" ? 1 : Number(digits);
  if (!UNIT_NAMES.includes(unit) || count < 1 || count > MAX_COUNT) {
    throw new NpyError("ERR_NPY_DTYPE", `[${text.slice(0, 40)}] is not a unit of time`);
  }
  return { name: unit as DatetimeUnitName, count };
}

/** Writes a unit with its brackets as NumPy does: `[25s]`, `[ns]`, nothing for the generic one. */
export function formatDatetimeUnit(unit: DatetimeUnit | undefined): string {
  if (unit === undefined) return "";
  return `[${unit.count === 1 ? "" : unit.count}${unit.name}]`;
}
