/**
 * Writes an array of any size in chunks of 1 MiB, in a process of its own and on the built packages.
 *
 *     write-large-file.js npy|npz|deflated FILE MEBIBYTES
 *
 * Rows are 1024 float32. The first row of every chunk begins with the chunk's number, all other elements are 0. Prints
 * `{"rows": ..., "peakRssBytes": ..., "seconds": ...}`.
 */
import { readFileSync } from "node:fs";
import { createNpyWriteStream, createNpzWriter } from "@npystream/writer-stream";

const [kind = "", file = "", mebibytes = "1"] = process.argv.slice(2);
const rows = { dtype: "float32", rowShape: [1024] };
const archive = kind === "npy" ? undefined : createNpzWriter(file, { compress: kind === "deflated", level: 1 });
const out = archive?.member("rows", rows) ?? createNpyWriteStream(file, rows);
const start = performance.now();
const chunk = new Float32Array(1 << 18);
for (let number = 0; number < Number(mebibytes); number++) {
  chunk[0] = number;
  await out.push(chunk);
}
const { shape } = await out.finish();
await archive?.finish();
const seconds = (performance.now() - start) / 1000;
const [, peakKib = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ rows: shape[0], peakRssBytes: Number(peakKib) * 1024, seconds }));
