import type { Descr, DescrField } from "@npystream/codec";
import fc from "fast-check";

/** What an array of a round trip is; NumPy fills it from the seed. */
export interface ArraySpec {
  /** The element type, in either byte order. */
  readonly descr: Descr;
  /** Extent of each axis. */
  readonly shape: readonly number[];
  /** Order of the elements; `steps` is every other element of a larger array, some axes backwards. */
  readonly layout: "C" | "F" | "steps";
  /** What the elements are made of. */
  readonly seed: number;
}

const UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"];
/** Extents an axis of each rank at most, so that an array has some hundred elements. */
const MOST_EXTENTS = [0, 60, 9, 5, 4, 3];
const MAX_FIELDS = 4;

const order = fc.constantFrom("<", ">");
const textBytes = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 12 }) },
  fc.integer({ min: 13, max: 3000 }),
);

const number = fc
  .tuple(order, fc.constantFrom(..."i2 i4 i8 u2 u4 u8 f2 f4 f8 f16 c8 c16 c32".split(" ")))
  .map(([mark, letters]) => mark + letters);
const time = fc
  .tuple(order, fc.constantFrom("M8", "m8"), fc.option(fc.constantFrom(...UNITS)), fc.integer({ min: 1, max: 1000 }))
  .map(
    ([mark, letters, unit, count]) => `${mark}${letters}${unit === null ? "" : `[${count > 1 ? count : ""}${unit}]`}`,
  );
const sized = fc.oneof(
  textBytes.map((bytes) => `|S${bytes}`),
  textBytes.map((bytes) => `|V${bytes}`),
  fc.tuple(order, textBytes).map(([mark, length]) => `${mark}U${length}`),
);
const scalar = fc.oneof(fc.constantFrom("|b1", "|i1", "|u1"), { weight: 3, arbitrary: number }, time, sized);

/**
 * Ones that Python's repr writes and ones that it escapes, the same in every Unicode since 6.0: what a later one made a
 * letter is escaped by an older Python, and the headers differ.
 */
const letter = fc.oneof(
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }),
  fc.constantFrom(..."\0\t\x1f\x7f\x80\xa0\xad\xb5\xff\u0378\u0300\u200b\u2028\u3000\u65e5\ue000\ufeff\uffff"),
  fc.constantFrom("\u{1d11e}", "\u{1f600}", "\u{e0001}", "\u{f0000}", "\u{10ffff}"),
);

const name = fc.oneof(
  fc.constantFrom("x", "a b", "it's", 'say "x"', "both'\"", "back\\slash", "new\nline", "\0", "\x7f", "__proto__"),
  fc.constantFrom("été", "π", "日本", "😀", "\u2028", "\ud7ff", "constructor"),
  fc.string({ unit: letter, minLength: 1, maxLength: 9 }),
);
const subShape = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });

/** Fields whose names and titles differ, with padding between some of them. */
const { struct } = fc.letrec<{ struct: readonly DescrField[]; element: Descr }>((tie) => ({
  element: fc.oneof({ maxDepth: 2, depthIdentifier: "struct" }, { weight: 4, arbitrary: scalar }, tie("struct")),
  struct: fc
    .tuple(
      fc.uniqueArray(name, { minLength: 2 * MAX_FIELDS, maxLength: 2 * MAX_FIELDS }),
      fc.array(
        fc.record({
          descr: tie("element"),
          hasTitle: fc.boolean(),
          shape: fc.option(subShape, { freq: 3 }),
          padding: fc.option(fc.integer({ min: 1, max: 9 }), { freq: 3 }),
        }),
        { minLength: 1, maxLength: MAX_FIELDS, depthIdentifier: "struct" },
      ),
    )
    .map(([names, fields]) => fields.flatMap((field, index) => fieldsOf(field, names.slice(2 * index, 2 * index + 2)))),
}));

interface FieldSpec {
  readonly descr: Descr;
  readonly hasTitle: boolean;
  readonly shape: readonly number[] | null;
  readonly padding: number | null;
}

function fieldsOf(
  { descr, hasTitle, shape, padding }: FieldSpec,
  [one = "", two = ""]: readonly string[],
): DescrField[] {
  const label = hasTitle ? ([two, one] as const) : one;
  const field: DescrField = shape === null ? [label, descr] : [label, descr, shape];
  return padding === null ? [field] : [field, ["", `|V${padding}`]];
}

const shape = fc
  .integer({ min: 0, max: 5 })
  .chain((rank) =>
    fc.tuple(...Array.from({ length: rank }, () => fc.integer({ min: 0, max: MOST_EXTENTS[rank] ?? 1 }))),
  );

/** Any array that NumPy saves without a pickle. */
export const arraySpec: fc.Arbitrary<ArraySpec> = fc.record({
  descr: fc.oneof({ weight: 3, arbitrary: scalar }, { weight: 2, arbitrary: struct }),
  shape,
  layout: fc.constantFrom("C", "F", "steps"),
  seed: fc.nat(),
});
