import { type ElementType, NaT, shapeSize } from "@npystream/codec";
import type { Random } from "../fuzz/random.ts";

/** A value that an element of this type can hold, as `setScalar` takes it. */
export function randomValue(type: ElementType, random: Random): unknown {
  const { dtype, itemSize, fields } = type;
  if (fields !== undefined) {
    // A record without a prototype may have a field of any name.
    const record: Record<string, unknown> = Object.create(null);
    for (const field of fields) record[field.name] = nested(field.type, field.shape, random);
    return record;
  }
  if (dtype === "bool") return random.oneIn(2);
  if (dtype === "bytes" || dtype === "void") return Uint8Array.from({ length: itemSize }, () => random.below(256));
  if (dtype === "str") return Array.from({ length: itemSize / 4 }, () => random.pick(LETTERS)).join("");
  if (dtype.startsWith("complex")) return { re: float(random), im: float(random) };
  if (dtype.startsWith("float")) return float(random);
  if (/^(datetime|timedelta)64/.test(dtype)) return random.oneIn(5) ? NaT : BigInt(random.below(60_000) - 30_000);
  const bits = BigInt(8 * itemSize);
  const whole = (BigInt(random.word()) << 32n) | BigInt(random.word());
  const wrapped = dtype.startsWith("u") ? BigInt.asUintN(Number(bits), whole) : BigInt.asIntN(Number(bits), whole);
  return itemSize === 8 ? wrapped : Number(wrapped);
}

const LETTERS = ["\0", "a", "Z", "é", "日", "\u{1f600}", "\u{10ffff}"];
const FLOATS = [
  0,
  -0,
  1,
  -1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** -24,
  65_504,
  2 ** -149,
];

function float(random: Random): number {
  return random.oneIn(3) ? random.pick(FLOATS) : (random.word() - 2 ** 31) * 2 ** (random.below(40) - 40);
}

function nested(type: ElementType, shape: readonly number[], random: Random): unknown {
  const [extent, ...rest] = shape;
  if (extent === undefined) return randomValue(type, random);
  return Array.from({ length: shapeSize([extent]) }, () => nested(type, rest, random));
}
