import { float16ToNumber, numberToFloat16 } from "@npystream/codec";

/**
 * Writes a double so that reading it back gives the same double, as a number of JSON, Python and JavaScript.
 *
 * There is always a point or an exponent: Python reads `1` as an int, loses the sign of `-0`, and holds an int of many
 * digits unequal to the float it stands for.
 *
 * @returns `0.1`, `1.0`, `-0.0`, `1e+21`; not for NaN and infinities.
 */
export function doubleText(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const text = String(value);
  return Number.isInteger(value) && !text.includes("e") ? `${text}.0` : text;
}

/** Significant digits that always survive a float of this many bytes, and digits that always tell two apart (IEEE 754). */
const DIGITS: Readonly<Record<number, readonly [number, number]>> = { 2: [3, 5], 4: [6, 9] };
/** Below these numbers are subnormal, with fewer digits than {@link DIGITS} says. */
const SMALLEST_NORMAL: Readonly<Record<number, number>> = { 2: 2 ** -14, 4: 2 ** -126 };

/**
 * Gives the double with the fewest digits among those that `value` is the nearest float of `itemSize` bytes to: 0.1 for
 * the float32 0.10000000149011612.
 */
export function shortestDouble(value: number, itemSize: number): number {
  const digits = DIGITS[itemSize];
  if (digits === undefined || !Number.isFinite(value) || value === 0) return value;
  const first = Math.abs(value) < (SMALLEST_NORMAL[itemSize] ?? 0) ? 1 : digits[0];
  for (let count = first; count < digits[1]; count++) {
    const short = Number(value.toPrecision(count));
    if (roundTo(short, itemSize) === value) return tieToEven(value, count) ?? short;
  }
  return Number(value.toPrecision(digits[1]));
}

/** Where `value` is halfway between two doubles of `count` digits, the one that ends in an even digit, as NumPy prints. */
function tieToEven(value: number, count: number): number | undefined {
  const longer = value.toExponential(count);
  const [mantissa = "", power] = longer.split("e");
  if (!mantissa.endsWith("5") || Number(longer) !== value) return undefined;
  const kept = mantissa.slice(0, -1).replace(/\.$/, "");
  return /[02468]$/.test(kept) ? Number(`${kept}e${power}`) : undefined;
}

/** Rounds to float32 or float16. */
function roundTo(value: number, itemSize: number): number {
  return itemSize === 4 ? Math.fround(value) : float16ToNumber(numberToFloat16(value));
}
