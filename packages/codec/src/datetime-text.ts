import type { DatetimeUnit, DatetimeUnitName } from "./datetime-unit.ts";
import type { ElementType } from "./element-type.ts";

/** Not a time: the smallest int64, in datetimes and timedeltas alike. */
export const NaT: bigint = -(2n ** 63n);

/** Units a day for those that are a fixed part of one. */
const PER_DAY: Readonly<Partial<Record<DatetimeUnitName, bigint>>> = {
  D: 1n,
  h: 24n,
  m: 1440n,
  s: 86_400n,
  ms: 86_400n * 10n ** 3n,
  us: 86_400n * 10n ** 6n,
  ns: 86_400n * 10n ** 9n,
  ps: 86_400n * 10n ** 12n,
  fs: 86_400n * 10n ** 15n,
  as: 86_400n * 10n ** 18n,
};

/**
 * Prints a datetime as NumPy does: `2026-01-02T03:04:05` to the precision of its unit, `NaT` where it is none.
 *
 * @param value - Count since 1970-01-01 in the unit of `type`.
 * @throws TypeError where `type` is no datetime64.
 */
export function formatDatetime(value: bigint, type: ElementType): string {
  if (!type.dtype.startsWith("datetime64")) throw new TypeError(`${type.dtype} is no datetime64`);
  if (value === NaT) return "NaT";
  // NumPy gives a datetime without a unit no date either.
  if (type.unit === undefined) return String(value);
  return formatIn(value * BigInt(type.unit.count), type.unit);
}

/** What NumPy calls the units of a timedelta, one or many. */
const UNIT_WORDS: Readonly<Record<DatetimeUnitName, string>> = {
  Y: "years",
  M: "months",
  W: "weeks",
  D: "days",
  h: "hours",
  m: "minutes",
  s: "seconds",
  ms: "milliseconds",
  us: "microseconds",
  ns: "nanoseconds",
  ps: "picoseconds",
  fs: "femtoseconds",
  as: "attoseconds",
};

/**
 * Prints a timedelta as NumPy's `str` does: `125 seconds` for 5 of `timedelta64[25s]`, `NaT` where it is none.
 *
 * @param value - Count in the unit of `type`.
 * @throws TypeError where `type` is no timedelta64.
 */
export function formatTimedelta(value: bigint, type: ElementType): string {
  if (!type.dtype.startsWith("timedelta64")) throw new TypeError(`${type.dtype} is no timedelta64`);
  if (value === NaT) return "NaT";
  if (type.unit === undefined) return `${value} generic time units`;
  return `${value * BigInt(type.unit.count)} ${UNIT_WORDS[type.unit.name]}`;
}

function formatIn(count: bigint, { name }: DatetimeUnit): string {
  if (name === "Y") return formatYear(1970n + count);
  if (name === "M") return `${formatYear(1970n + floorDivide(count, 12n))}-${two(modulo(count, 12n) + 1n)}`;
  if (name === "W") return formatDate(count * 7n);
  const perDay = PER_DAY[name] ?? 1n;
  const date = formatDate(floorDivide(count, perDay));
  if (name === "D") return date;
  const inDay = modulo(count, perDay);
  const perHour = perDay / 24n;
  const hour = `${date}T${two(inDay / perHour)}`;
  if (name === "h") return hour;
  const perMinute = perHour / 60n;
  const minute = `${hour}:${two((inDay / perMinute) % 60n)}`;
  if (name === "m") return minute;
  const perSecond = perMinute / 60n;
  const second = `${minute}:${two((inDay / perSecond) % 60n)}`;
  if (name === "s") return second;
  const digits = String(perSecond).length - 1;
  return `${second}.${String(inDay % perSecond).padStart(digits, "0")}`;
}

/** Days since 1970-01-01 to a date of the proleptic Gregorian calendar, in cycles of 400 years that begin on 1 March. */
function formatDate(days: bigint): string {
  const fromMarch0000 = days + 719_468n;
  const era = floorDivide(fromMarch0000, 146_097n);
  const dayOfEra = modulo(fromMarch0000, 146_097n);
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const monthFromMarch = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * monthFromMarch + 2n) / 5n + 1n;
  const month = monthFromMarch < 10n ? monthFromMarch + 3n : monthFromMarch - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  return `${formatYear(year)}-${two(month)}-${two(day)}`;
}

/** At least four characters with the sign, as C's `%04d` that NumPy prints years with. */
function formatYear(year: bigint): string {
  return year < 0n ? `-${String(-year).padStart(3, "0")}` : String(year).padStart(4, "0");
}

function two(value: bigint): string {
  return String(value).padStart(2, "0");
}

function floorDivide(value: bigint, by: bigint): bigint {
  return (value - modulo(value, by)) / by;
}

function modulo(value: bigint, by: bigint): bigint {
  return ((value % by) + by) % by;
}
