import { shortestDouble } from "./number-text.ts";

/** NumPy's `precision`: digits behind the point. */
const PRECISION = 8;
/** `finfo(dtype).precision` by item size; anything longer prints as float64 does. */
const DECIMALS: Readonly<Record<number, number>> = { 2: 3, 4: 6 };

/**
 * Gives the format that NumPy prints floats of `itemSize` bytes in, all of them with points in one column: fixed
 * notation, or scientific where they are large, small or far apart (`FloatingFormat` of `numpy/_core/arrayprint.py`).
 *
 * @param signed - Whether positive numbers get a plus.
 */
export function floatFormat(itemSize: number, values: readonly number[], signed = false): (value: number) => string {
  const finite = values.filter(Number.isFinite);
  const scientific = isScientific(finite, itemSize);
  const words = finite.map((value) => {
    const short = shortestDouble(value, itemSize);
    return sign(value, signed) + (scientific ? exponentParts(value, short) : fixedParts(value, short)).join("");
  });
  let left = Math.max(0, ...words.map((word) => word.indexOf(".")));
  const fraction = Math.max(0, ...words.map((word) => word.replace(/e.*/, "").length - word.indexOf(".") - 1));
  const exponent = Math.max(0, ...words.map((word) => (scientific ? word.length - word.indexOf("e") - 2 : 0)));
  // "e", a sign and the digits.
  const right = fraction + (scientific ? exponent + 2 : 0);
  if (finite.length < values.length) {
    const infinity = signed || values.includes(Number.NEGATIVE_INFINITY) ? 4 : 3;
    left = Math.max(left, 3 - right - 1, infinity - right - 1);
  }
  return (value) => {
    if (!Number.isFinite(value)) {
      const name = Number.isNaN(value) ? "nan" : "inf";
      return (sign(value, signed) + name).padStart(left + right + 1);
    }
    const short = shortestDouble(value, itemSize);
    const [whole, decimals, power] = scientific ? exponentParts(value, short) : fixedParts(value, short);
    const before = (sign(value, signed) + whole).padStart(left + 1);
    if (!scientific) return before + decimals.padEnd(fraction);
    return `${before}${decimals.padEnd(fraction, "0")}e${power[1]}${power.slice(2).padStart(exponent, "0")}`;
  };
}

function isScientific(finite: readonly number[], itemSize: number): boolean {
  const magnitudes = finite.filter((value) => value !== 0).map(Math.abs);
  if (magnitudes.length === 0) return false;
  const largest = Math.max(...magnitudes);
  const smallest = Math.min(...magnitudes);
  return largest >= 10 ** (DECIMALS[itemSize] ?? 8) || smallest < 0.0001 || largest / smallest > 1000;
}

function sign(value: number, signed: boolean): string {
  return value < 0 || Object.is(value, -0) ? "-" : signed ? "+" : "";
}

/** Parts of the shortest fixed notation, or of that with 8 decimals where it has more: `3.`, `25`. */
function fixedParts(value: number, short: number): [whole: string, decimals: string, power: string] {
  // Fixed notation is chosen from 1e-4 to 1e8 only, where String() has no exponent.
  const shortest = String(Math.abs(short));
  const text = decimalsOf(shortest) <= PRECISION ? shortest : halfEven(Math.abs(value), "toFixed");
  const [whole = "0", decimals = ""] = text.split(".");
  return [`${whole}.`, decimals.replace(/0+$/, ""), ""];
}

/** Parts of scientific notation with 8 decimals at most: `3.`, `25`, `e+05`. */
function exponentParts(value: number, short: number): [whole: string, decimals: string, power: string] {
  const shortest = Math.abs(short).toExponential();
  const [mantissa = ""] = shortest.split("e");
  const text = decimalsOf(mantissa) <= PRECISION ? shortest : halfEven(Math.abs(value), "toExponential");
  const [digits = "", power = ""] = text.split("e");
  const [whole = "0", decimals = ""] = digits.split(".");
  return [`${whole}.`, decimals.replace(/0+$/, ""), `e${power[0]}${power.slice(1).padStart(2, "0")}`];
}

function decimalsOf(text: string): number {
  return text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
}

/** Rounds to 8 decimals, a tie to the even digit as NumPy does; JavaScript rounds a tie up. */
function halfEven(value: number, method: "toFixed" | "toExponential"): string {
  const rounded = value[method](PRECISION);
  // 100 decimals are the most there are; in the ranges printed here a tie ends long before them.
  const [exact = ""] = value[method](100).split("e");
  const rest = exact.slice(exact.indexOf(".") + 1 + PRECISION);
  const even = Number(exact[exact.indexOf(".") + PRECISION]) % 2 === 0;
  if (!even || !/^50*$/.test(rest)) return rounded;
  const kept = exact.slice(0, exact.indexOf(".") + 1 + PRECISION);
  return kept + rounded.slice(rounded.includes("e") ? rounded.indexOf("e") : rounded.length);
}
