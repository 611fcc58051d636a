import { existsSync } from "node:fs";
import { join } from "node:path";
import { NdArray } from "@npystream/codec";
import { writeNpy } from "@npystream/writer-stream";
import { CLASSES, incomingNames } from "./convention.ts";

const ROWS = 500;
const COLUMNS = 8;

/** Drops pairs into a folder as other programs do, each file whole; those that are there already stay as they are. */
export async function dropPairs(folder: string, count: number): Promise<void> {
  for (let pair = 0; pair < count; pair++) {
    const key = String(pair).padStart(4, "0");
    const next = randomNumbers(pair + 1);
    const labels = BigInt64Array.from({ length: ROWS }, () => BigInt(Math.floor(next() * CLASSES)));
    const features = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => {
      return Number(labels[Math.floor(at / COLUMNS)]) + next();
    });
    const arrays = {
      features: new NdArray({ dtype: "float32", shape: [ROWS, COLUMNS], data: features }),
      labels: new NdArray({ dtype: "int64", shape: [ROWS], data: labels }),
    };
    for (const [role, array] of Object.entries(arrays)) {
      const path = join(folder, incomingNames.format({ key, role }));
      if (!existsSync(path)) {
        await writeNpy(path, array);
      }
    }
  }
}

/** Numbers from 0 to 1 that follow from a seed: mulberry32, by Tommy Ettinger. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
