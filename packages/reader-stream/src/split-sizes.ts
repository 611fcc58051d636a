import { kindOf } from "./value-kind.ts";

/** Fractions add up to 1 but for the rounding of their sum. */
const TOLERANCE = 1e-9;

/**
 * Works out how many of `length` rows each part has: whole numbers are counts and add up to `length`, others are fractions
 * and add up to 1, rounded by largest remainder (Hamilton's method), so that the sizes add up to `length` too.
 *
 * @throws RangeError for parts that do not add up; TypeError for what has no parts by name.
 */
export function splitSizes(length: number, parts: Readonly<Record<string, number>>): readonly number[] {
  if (typeof parts !== "object" || parts === null || Array.isArray(parts)) {
    throw new TypeError(`split takes parts by name, { train: 0.8, test: 0.2 }, not ${kindOf(parts)}`);
  }
  const shares = Object.values(parts);
  if (shares.length === 0) throw new RangeError("a split has at least one part");
  for (const [name, share] of Object.entries(parts)) {
    if (typeof share !== "number" || !Number.isFinite(share) || share < 0) {
      throw new RangeError(`part ${name} is a fraction or a count from 0, not ${share}`);
    }
  }
  const sum = shares.reduce((total, share) => total + share, 0);
  if (shares.every(Number.isInteger) && sum === length) return shares;
  if (Math.abs(sum - 1) <= TOLERANCE) return largestRemainders(length, shares, sum);
  if (shares.every(Number.isInteger)) throw new RangeError(`the parts have ${sum} rows in all and there are ${length}`);
  throw new RangeError(`the parts are fractions that add up to ${sum} and not to 1`);
}

function largestRemainders(length: number, shares: readonly number[], sum: number): readonly number[] {
  const ideal = shares.map((share) => (share / sum) * length);
  const sizes = ideal.map(Math.floor);
  const remainder = (part: number): number => (ideal[part] as number) - Math.floor(ideal[part] as number);
  const order = [...shares.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b);
  const left = length - sizes.reduce((total, size) => total + size, 0);
  for (const part of order.slice(0, left)) sizes[part] = (sizes[part] as number) + 1;
  return sizes;
}
