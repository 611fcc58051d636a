/** Stations that report, with names as they come: commas, quotes and letters beyond ASCII. Their position is their number. */
export const STATIONS: readonly string[] = [
  "Oslo, Blindern",
  "Åre",
  'Kap "Arkona"',
  "Zürich",
  "Nuuk",
  "Reykjavík",
  "Tórshavn",
  "Bergen, Florida",
];
/** What becomes of the reading, by its number as a label. */
export const OUTCOMES: readonly string[] = ["ok", "drift", "stuck"];
/** Measured quantities, of which any may be missing. */
export const QUANTITIES = ["temperature", "humidity", "pressure", "wind"] as const;
/** Columns of the source, in its order. */
export const COLUMNS: readonly string[] = ["time", "station", ...QUANTITIES, "outcome"];
/** Columns of the features: number of the station, hour of the day, and the quantities. */
export const FEATURES: number = 2 + QUANTITIES.length;

/** A row of the source by column: text from CSV, values from JSON. */
export type SourceRecord = Readonly<Record<string, unknown>>;

/** Rows on their way to the shards: as many of each. */
export interface ReadingBatch {
  /** Shape `[n, 6]`, row by row; NaN where a quantity is missing. */
  readonly features: Float32Array;
  /** Shape `[n]`, indices of {@link OUTCOMES}. */
  readonly labels: Uint8Array;
}

const stationNumbers: ReadonlyMap<unknown, number> = new Map(STATIONS.map((name, number) => [name, number]));
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const outcomeNumbers: ReadonlyMap<unknown, number> = new Map(OUTCOMES.map((name, number) => [name, number]));

/**
 * Turns rows of the source into batches of typed rows.
 *
 * @param rowsEach - Rows of a batch; the last may have fewer.
 * @throws RangeError for a row that is none, with its number from 1.
 */
export async function* toBatches(records: AsyncIterable<SourceRecord>, rowsEach: number): AsyncGenerator<ReadingBatch> {
  let features = new Float32Array(rowsEach * FEATURES);
  let labels = new Uint8Array(rowsEach);
  let [filled, row] = [0, 0];
  for await (const record of records) {
    row++;
    fill(features.subarray(filled * FEATURES, (filled + 1) * FEATURES), record, row);
    labels[filled] = numberOf(outcomeNumbers, record, "outcome", row);
    if (++filled < rowsEach) continue;
    yield { features, labels };
    // The writer has what it was given until it asks for more, and this goes on meanwhile.
    [features, labels, filled] = [new Float32Array(rowsEach * FEATURES), new Uint8Array(rowsEach), 0];
  }
  if (filled > 0) yield { features: features.subarray(0, filled * FEATURES), labels: labels.subarray(0, filled) };
}

function fill(into: Float32Array, record: SourceRecord, row: number): void {
  into[0] = numberOf(stationNumbers, record, "station", row);
  into[1] = hourOf(record["time"], row);
  for (const [index, name] of QUANTITIES.entries()) into[2 + index] = quantity(record[name], name, row);
}

function numberOf(numbers: ReadonlyMap<unknown, number>, record: SourceRecord, column: string, row: number): number {
  return numbers.get(record[column]) ?? fail(row, column, record[column], `one of ${[...numbers.keys()].join("; ")}`);
}

function hourOf(time: unknown, row: number): number {
  const [, hour] = typeof time === "string" ? (/^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\dZ$/.exec(time) ?? []) : [];
  return hour === undefined ? fail(row, "time", time, "a time such as 2026-01-02T03:04:05Z") : Number(hour);
}

/** A number, of which CSV has the text; an empty field and JSON's null are missing. A blank is no zero, and 0x1F no 31. */
function quantity(value: unknown, column: string, row: number): number {
  if (value === "" || value === null) return Number.NaN;
  const number = typeof value === "string" && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : fail(row, column, value, "a number");
}

function fail(row: number, column: string, value: unknown, expected: string): never {
  throw new RangeError(`row ${row}: ${column} is ${JSON.stringify(value)}, not ${expected}`);
}
