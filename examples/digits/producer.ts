/**
 * Reads the digits CSV as a stream and drops it as pairs of shards into a folder that somebody watches. Pairs that an
 * earlier producer has dropped stay as they are.
 *
 *     producer.ts CSV FOLDER
 *
 * Started with an IPC channel, it tells after every pair how many are there.
 */
import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createNpyWriteStream } from "@npystream/writer-stream";
import { parse } from "csv-parse";
import { KEY, PIXELS, shardNames } from "./convention.ts";
import { type Digit, parseDigits } from "./digits-csv.ts";

const SHARD_ROWS = 128;
/** Pause after each pair, so that pairs arrive one after another as from an instrument, not all at once. */
const PAUSE_MS = 40;

const [csv, folder] = process.argv.slice(2);
if (csv === undefined || folder === undefined) {
  console.error("usage: producer CSV FOLDER");
  process.exitCode = 2;
} else {
  try {
    const records = createReadStream(csv).compose(parse({ columns: true }));
    await dropShards(parseDigits(records), folder);
  } catch (error) {
    console.error(`producer: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}

async function dropShards(digits: AsyncIterable<Digit>, into: string): Promise<void> {
  let rows: Digit[] = [];
  let pairs = 0;
  const drop = async (): Promise<void> => {
    const isNew = await dropPair(into, pairs, rows);
    pairs += 1;
    rows = [];
    await tell(pairs);
    await sleep(isNew ? PAUSE_MS : 0);
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
}

/** Drops a pair unless it is there: its labels come last. */
async function dropPair(into: string, shard: number, rows: readonly Digit[]): Promise<boolean> {
  const pathOf = (role: string): string => join(into, shardNames.format({ key: KEY, shard, role }));
  if (existsSync(pathOf("labels"))) {
    return false;
  }
  await pipeline(
    rows.map(({ levels }) => levels),
    createNpyWriteStream(pathOf("features"), { dtype: "uint8", rowShape: [PIXELS], overwrite: true }),
  );
  await pipeline(
    rows.map(({ label }) => BigInt64Array.of(label)),
    createNpyWriteStream(pathOf("labels"), { dtype: "int64", rowShape: [], overwrite: true }),
  );
  return true;
}

/** Tells the parent, where there is one; fails when it has gone, which ends this process too. */
async function tell(pairs: number): Promise<void> {
  if (process.send === undefined) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    process.send?.(pairs, undefined, undefined, (error) => (error === null ? resolve() : reject(error)));
  });
}
