/**
 * Reads a `.npy` as a stream, passes its chunks through a stage and writes them as another one, in a process of its own.
 *
 *     copy-through-stage.js IN OUT
 *
 * It runs on the built packages, as users do: a loader of TypeScript takes memory of its own. Prints `{"rows": ..., "peakRssBytes": ...}`.
 */
import { readFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { openNpy, stage } from "@npystream/reader-stream";
import { createNpyWriteStream } from "@npystream/writer-stream";

const [from = "", to = ""] = process.argv.slice(2);
const source = await openNpy(from);
const addOne = stage((chunk) => {
  const { data } = chunk;
  for (let i = 0; i < data.length; i++) data[i] += 1;
  return chunk;
});
const out = createNpyWriteStream(to);
await pipeline(source.stream(), addOne, out);
await source.close();
// Not getrusage's maxRSS: a child inherits that from the process that started it. VmHWM, in KiB, is this program's own.
const [, peakKib = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ rows: source.length, peakRssBytes: Number(peakKib) * 1024 }));
