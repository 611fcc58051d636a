import { createReadStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createNpyWriteStream } from "@npystream/writer-stream";
import { parse } from "csv-parse";
import { parseDigits } from "../digits/digits-csv.ts";
import { digitsCsv } from "../digits/run-folder.ts";

/** Paths of the digits as arrays. */
export interface DigitArrays {
  /** float32 `[1797, 64]`, grey levels from 0 to 1. */
  readonly features: string;
  /** int64 `[1797]`, the digits that were meant. */
  readonly labels: string;
}

/** Turns the CSV of the digits example into two `.npy` in `folder`. */
export async function writeDigitArrays(folder: string): Promise<DigitArrays> {
  await mkdir(folder, { recursive: true });
  const paths = { features: join(folder, "features.npy"), labels: join(folder, "labels.npy") };
  const features = createNpyWriteStream(paths.features, { dtype: "float32", rowShape: [64], overwrite: true });
  const labels = createNpyWriteStream(paths.labels, { dtype: "int64", rowShape: [], overwrite: true });
  const records = createReadStream(digitsCsv).pipe(parse({ columns: true }));
  for await (const digit of parseDigits(records)) {
    await features.push(digit.features);
    await labels.push(BigInt64Array.of(digit.label));
  }
  await features.finish();
  await labels.finish();
  return paths;
}
