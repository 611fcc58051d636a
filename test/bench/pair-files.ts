import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";

/** Features and labels of 16 rows, as the files that hold them. */
export function pairBytes(): [Uint8Array, Uint8Array] {
  const features = new NdArray({
    dtype: "float32",
    shape: [16, 4],
    data: Float32Array.from({ length: 64 }, (_, i) => i + 1),
  });
  const labels = new NdArray({
    dtype: "int64",
    shape: [16],
    data: BigInt64Array.from({ length: 16 }, (_, i) => BigInt(i + 1)),
  });
  return [encodeNpy(features), encodeNpy(labels)];
}

/** Writes a pair of files into a folder. */
export function writePair(folder: string, key: string, features: Uint8Array, labels: Uint8Array): void {
  writeFileSync(join(folder, `${key}.features.npy`), features);
  writeFileSync(join(folder, `${key}.labels.npy`), labels);
}
