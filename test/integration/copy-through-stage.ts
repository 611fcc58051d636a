/**
 * Reads a `.npy` as a stream, passes its chunks through a stage and writes them as another one, in a process of its own.
 *
 *     copy-through-stage.ts IN OUT
 *
 * Prints `{"rows": ..., "peakRssBytes": ...}`.
 */
import { pipeline } from "node:stream/promises";
import { openNpy, stage } from "@npystream/reader-stream";
import { createNpyWriteStream } from "@npystream/writer-stream";

const [from = "", to = ""] = process.argv.slice(2);
await using source = await openNpy(from);
const addOne = stage((chunk) => {
  const data = chunk.data as Float32Array;
  for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) + 1;
  return chunk;
});
const out = createNpyWriteStream(to);
await pipeline(source.stream(), addOne, out);
console.log(JSON.stringify({ rows: source.length, peakRssBytes: process.resourceUsage().maxRSS * 1024 }));
