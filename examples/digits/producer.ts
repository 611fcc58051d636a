/**
 * Reads the digits CSV as a stream and drops it as pairs of shards into a folder that somebody watches.
 *
 *     producer.ts CSV FOLDER
 *
 * Started with an IPC channel, it announces every pair that it has dropped, and at the end how many there are.
 */
import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createNpyWriteStream } from "@npystream/writer-stream";
import { parse } from "csv-parse";
import { names, PIXELS, pairName } from "./convention.ts";
import { type Digit, parseDigits } from "./digits-csv.ts";

/** What the producer tells its parent. */
export type ProducerMessage =
  | { readonly kind: "dropped"; readonly pair: string }
  | { readonly kind: "ended"; readonly pairs: number };

/** Every fifth row is held out for the test. */
const HOLD_OUT_EVERY = 5;
const SHARD_ROWS = 128;
/** Pause after each pair, so that pairs arrive one after another as from an instrument, not all at once. */
const PAUSE_MS = 40;

const [csv, folder] = process.argv.slice(2);
if (csv === undefined || folder === undefined) {
  console.error("usage: producer CSV FOLDER");
  process.exitCode = 2;
} else {
  try {
    await pipeline(createReadStream(csv), parse({ columns: true }), parseDigits, (digits) =>
      dropShards(digits, folder),
    );
  } catch (error) {
    console.error(`producer: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function dropShards(digits: AsyncIterable<Digit>, into: string): Promise<void> {
  const waiting = new Map<string, Digit[]>([
    ["train", []],
    ["test", []],
  ]);
  const shards = new Map<string, number>();
  let pairs = 0;
  const drop = async (split: string, rows: readonly Digit[]): Promise<void> => {
    const shard = shards.get(split) ?? 0;
    shards.set(split, shard + 1);
    pairs += 1;
    await dropPair(into, split, shard, rows);
    await tell({ kind: "dropped", pair: pairName(split, shard) });
    await sleep(PAUSE_MS);
  };
  for await (const digit of digits) {
    const split = digit.row % HOLD_OUT_EVERY === HOLD_OUT_EVERY - 1 ? "test" : "train";
    const rows = [...(waiting.get(split) ?? []), digit];
    const isFull = rows.length === SHARD_ROWS;
    waiting.set(split, isFull ? [] : rows);
    if (isFull) {
      await drop(split, rows);
    }
  }
  for (const [split, rows] of waiting) {
    if (rows.length > 0) {
      await drop(split, rows);
    }
  }
  await tell({ kind: "ended", pairs });
}

async function dropPair(into: string, split: string, shard: number, rows: readonly Digit[]): Promise<void> {
  const pathOf = (role: string): string => join(into, names.format({ split, shard, role }));
  await mkdir(dirname(pathOf("features")), { recursive: true });
  const features = createNpyWriteStream(pathOf("features"), { dtype: "float32", rowShape: [PIXELS] });
  await pipeline(
    rows.map((digit) => digit.features),
    features,
  );
  const labels = createNpyWriteStream(pathOf("labels"), { dtype: "int64", rowShape: [] });
  await pipeline(
    rows.map((digit) => BigInt64Array.of(digit.label)),
    labels,
  );
}

/** Tells the parent, where there is one; fails when it has gone, which ends this process too. */
async function tell(message: ProducerMessage): Promise<void> {
  if (process.send === undefined) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
