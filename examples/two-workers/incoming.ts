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
    const labels = BigInt64Array.from({ length: ROWS }, (_, row) => BigInt((row * 7 + pair) % CLASSES));
    const features = Float32Array.from({ length: ROWS * COLUMNS }, (_, at) => {
      return Number(labels[Math.floor(at / COLUMNS)]) + ((at * 37 + pair) % 100) / 100;
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
