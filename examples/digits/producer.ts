/**
 * Reads the digits CSV as a stream and drops it as pairs of shards into a folder that somebody watches.
 *
 *     producer.ts CSV FOLDER
 *
 * Started with an IPC channel, it announces every pair that it has dropped, and at the end how many there are.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
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
  let rows: Digit[] = [];
  let pairs = 0;
  const drop = async (): Promise<void> => {
    await dropPair(into, pairs, rows);
    await tell({ kind: "dropped", pair: pairName(pairs) });
    pairs += 1;
    rows = [];
    await sleep(PAUSE_MS);
  };
  for await (const digit of digits) {
    rows.push(digit);
    if (rows.length === SHARD_ROWS) {
      await drop();
    }
  }
  if (rows.length > 0) {
    await drop();
  }
  await tell({ kind: "ended", pairs });
}

async function dropPair(into: string, shard: number, rows: readonly Digit[]): Promise<void> {
  const pathOf = (role: string): string => join(into, names.format({ shard, role }));
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
