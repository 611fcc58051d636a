/**
 * A file of readings, CSV or a JSON object a line, becomes shards of features and labels with one manifest.
 *
 *     main.js [--out DIR] [--rows N] [--format csv|jsonl] [--in FILE] [--shard-rows N]
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { isNpyError } from "@npystream/codec";
import { createShardWriter, type ShardWriteResult } from "@npystream/writer-stream";
import { FEATURES, toBatches } from "./readings.ts";
import { createRowProgress } from "./row-progress.ts";
import { makeSource, openSource } from "./source-file.ts";

const USAGE = "usage: main.js [--out DIR] [--rows N] [--format csv|jsonl] [--in FILE] [--shard-rows N]";
/** Rows of a batch on its way to a shard. */
const BATCH_ROWS = 2000;

interface Arguments {
  /** Folder that everything is written to. */
  readonly out: string;
  readonly source: string;
  /** Rows of a source that is to be made where it is not there. */
  readonly rows?: number;
  readonly shardRows: number;
}

class WrongUse extends Error {}

/** An interrupted run ends as one that failed: what is half written is removed. */
const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
}

try {
  const { out, source, rows, shardRows } = readArguments();
  await mkdir(out, { recursive: true });
  if (rows !== undefined && !existsSync(source)) {
    console.log(`making ${source}, ${rows} rows`);
    await makeSource(source, rows, stop.signal);
  }
  await run(source, out, shardRows);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`etl: ${isNpyError(error) ? `${error.code} ` : ""}${message}\n`);
  process.exitCode = error instanceof WrongUse ? 2 : 1;
}

async function run(path: string, out: string, maxRows: number): Promise<void> {
  const source = await openSource(path);
  const started = performance.now();
  let result: ShardWriteResult;
  {
    using progress = createRowProgress(process.stdout, source.byteLength);
    const shards = createShardWriter(
      { features: join(out, "features-{shard:05}.npy"), labels: join(out, "labels-{shard:05}.npy") },
      {
        maxRows,
        manifest: "readings.manifest.json",
        roles: { features: { dtype: "float32", rowShape: [FEATURES] }, labels: { dtype: "uint8", rowShape: [] } },
        // Shards that a killed run has left are replaced; there is no manifest until all of them are whole.
        overwrite: true,
        onProgress: ({ rows }) => progress.update(source.bytesRead, rows),
        signal: stop.signal,
      },
    );
    try {
      await pipeline(toBatches(source.records, BATCH_ROWS), shards);
    } finally {
      source.close();
    }
    result = await shards.finish();
  }
  const seconds = (performance.now() - started) / 1000;
  const rate = (source.byteLength / 1e6 / seconds).toFixed(1);
  const { rows, shards } = result.manifest;
  console.log(
    `${rows} rows in ${shards.length} ${shards.length === 1 ? "shard" : "shards"}, ${seconds.toFixed(1)} s, ${rate} MB/s: ${result.path}`,
  );
}

function readArguments(): Arguments {
  const folder = fileURLToPath(new URL("../../etl/run", import.meta.url));
  try {
    const { values } = parseArgs({
      options: {
        out: { type: "string", default: folder },
        rows: { type: "string", default: "1000000" },
        format: { type: "string", default: "csv" },
        in: { type: "string" },
        "shard-rows": { type: "string", default: "100000" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit();
    }
    const out = resolve(values.out);
    const [rows, shardRows] = [count("--rows", values.rows), count("--shard-rows", values["shard-rows"])];
    if (values.in !== undefined) return { out, source: resolve(values.in), shardRows };
    if (values.format !== "csv" && values.format !== "jsonl") {
      throw new Error(`--format is csv or jsonl, not ${values.format}`);
    }
    return { out, source: join(out, `readings-${rows}.${values.format}`), rows, shardRows };
  } catch (error) {
    throw new WrongUse(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  }
}

function count(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${option} is a whole number from 1, not ${text}`);
  return number;
}
