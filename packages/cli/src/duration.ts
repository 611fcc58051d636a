import { InvalidArgumentError } from "commander";

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads a time such as `500ms`, `90s`, `5m`, `2h` or `30d`, in milliseconds. The unit must be there: a bare number would be
 * read as seconds by some and as milliseconds by others.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const milliseconds = Math.round(Number(amount) * (UNITS[unit] ?? 0));
  if (unit === "" || !Number.isSafeInteger(milliseconds)) {
    throw new InvalidArgumentError("It is a number and a unit, such as 500ms, 90s, 5m, 2h or 30d.");
  }
  return milliseconds;
}

/**
 * Reads a whole number from `least` on.
 *
 * @throws InvalidArgumentError for anything else.
 */
export function parseCount(text: string, least: number): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count) || count < least) {
    throw new InvalidArgumentError(`It is a whole number, ${least} or more.`);
  }
  return count;
}

/** Words a time for people: `0.3 s`, `12 s`, `3 min`, `2.5 h`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  if (seconds < 7170) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
