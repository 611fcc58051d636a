import { createReadStream, createWriteStream, type ReadStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { extname } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { parse } from "csv-parse";
import { COLUMNS, OUTCOMES, QUANTITIES, type SourceRecord, STATIONS } from "./readings.ts";

/** Rows that are made at once. */
const BLOCK_ROWS = 1000;
/** The first reading; the others follow each minute. */
const FIRST_MS = Date.UTC(2026, 0, 1);
/** Where each quantity lies, in the order of the columns: middle and spread. */
const RANGES = [
  { middle: 4, spread: 18 },
  { middle: 70, spread: 25 },
  { middle: 1010, spread: 30 },
  { middle: 6, spread: 6 },
] as const;

/** A file of readings that is read row by row. */
export interface SourceFile {
  /** Size in bytes. */
  readonly byteLength: number;
  /** Bytes that were read so far. */
  readonly bytesRead: number;
  /** Rows as they come. @throws Error for a line that is no CSV or JSON, with its number. */
  readonly records: AsyncIterable<SourceRecord>;
  /** Closes the file; what reads its rows fails then. */
  close(): void;
}

/**
 * Makes a file of readings: the same number of rows gives the same bytes. It has its name once it is whole.
 *
 * @param path - Ends in `.csv` or `.jsonl`.
 */
export async function makeSource(path: string, rows: number, signal: AbortSignal): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const isCsv = extname(path) === ".csv";
    await pipeline(Readable.from(blocks(rows, isCsv)), createWriteStream(partial), { signal });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Opens a file of readings. @throws Error for another extension, and the system's where it cannot be read. */
export async function openSource(path: string): Promise<SourceFile> {
  const extension = extname(path);
  if (extension !== ".csv" && extension !== ".jsonl") throw new Error(`${path} is neither a .csv nor a .jsonl`);
  const { size } = await stat(path);
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  return {
    byteLength: size,
    get bytesRead() {
      return stream.bytesRead;
    },
    records: extension === ".csv" ? csvRecords(stream) : jsonRecords(stream),
    close: () => void stream.destroy(),
  };
}

async function* csvRecords(stream: ReadStream): AsyncGenerator<SourceRecord> {
  const parser = parse({ columns: true, bom: true });
  // An error of the file is one of its rows.
  stream.on("error", (error) => parser.destroy(error));
  yield* stream.pipe(parser);
}

async function* jsonRecords(stream: ReadStream): AsyncGenerator<SourceRecord> {
  let line = 0;
  for await (const text of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    line++;
    if (text === "") continue;
    yield parseLine(text, line);
  }
}

function parseLine(text: string, line: number): SourceRecord {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as SourceRecord;
  } catch (cause) {
    throw new Error(`line ${line} is no JSON: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  throw new Error(`line ${line} is no JSON object`);
}

function* blocks(rows: number, isCsv: boolean): Generator<string, void> {
  const random = randomNumbers(2026);
  if (isCsv) yield `${COLUMNS.join(",")}\n`;
  for (let start = 0; start < rows; start += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - start);
    const lines = Array.from({ length: count }, (_, i) => {
      const record = makeRecord(start + i, random);
      return isCsv ? COLUMNS.map((name) => csvField(record[name])).join(",") : JSON.stringify(record);
    });
    yield `${lines.join("\n")}\n`;
  }
}

function makeRecord(row: number, random: () => number): SourceRecord {
  const time = `${new Date(FIRST_MS + row * 60_000).toISOString().slice(0, 19)}Z`;
  const station = STATIONS[Math.floor(random() * STATIONS.length)];
  const quantities = QUANTITIES.map((name, index) => {
    const { middle = 0, spread = 0 } = RANGES[index] ?? {};
    // One of a hundred is missing.
    const value = random() < 0.01 ? null : Number((middle + spread * (2 * random() - 1)).toFixed(2));
    return [name, value] as const;
  });
  const outcome = OUTCOMES[Math.floor(random() ** 3 * OUTCOMES.length)];
  return { time, station, ...Object.fromEntries(quantities), outcome };
}

function csvField(value: unknown): string {
  const text = value === null ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Numbers from 0 to 1 that look random and are the same each time (mulberry32, in the public domain). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
