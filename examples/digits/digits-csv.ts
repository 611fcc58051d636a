import { PIXELS } from "./convention.ts";

/** One row of `digits.csv`. */
export interface Digit {
  /** 64 grey levels, 0 to 16. */
  readonly levels: Uint8Array;
  /** The same, scaled to 0..1. */
  readonly features: Float32Array;
  /** The digit that was meant, 0 to 9. */
  readonly label: bigint;
  /** Index of the row in the CSV, from 0, not counting the header. */
  readonly row: number;
}

/** The brightest grey level in the CSV. */
const MAX_LEVEL = 16;

/**
 * Turns the records of `digits.csv`, objects by column name, into digits.
 *
 * @throws RangeError where a record has no integer of the right range in a column.
 */
export async function* parseDigits(records: AsyncIterable<Readonly<Record<string, string>>>): AsyncGenerator<Digit> {
  let row = 0;
  for await (const record of records) {
    const level = (_: unknown, pixel: number): number => parseField(record, `p${pixel}`, MAX_LEVEL, row);
    const levels = Uint8Array.from({ length: PIXELS }, level);
    const label = BigInt(parseField(record, "digit", 9, row));
    yield { levels, features: scaleLevels(levels), label, row };
    row += 1;
  }
}

/** Scales grey levels to 0..1. */
export function scaleLevels(levels: Uint8Array): Float32Array {
  return Float32Array.from(levels, (level) => level / MAX_LEVEL);
}

function parseField(record: Readonly<Record<string, string>>, column: string, max: number, row: number): number {
  const text = record[column] ?? "";
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) {
    throw new RangeError(
      `row ${row} of the CSV: column ${column} holds ${JSON.stringify(text)}, not an integer from 0 to ${max}`,
    );
  }
  return value;
}
