/**
 * Reads rows of a large `.npy` one by one, as streams and by gather, in a process of its own and on the built packages.
 *
 *     read-large-file.js FILE EVERY
 *
 * Every `EVERY`th row begins with its number, all other elements are 0. Prints `{"marks": ..., "rows": ..., "peakRssBytes": ...}`:
 * how many of those rows were seen, and how many rows in all.
 */
import { readFileSync } from "node:fs";
import { openNpy } from "@npystream/reader-stream";

const [file = "", every = "1"] = process.argv.slice(2);
const step = Number(every);
const array = await openNpy(file);
let [marks, rows] = [0, 0];

function see(data, row) {
  rows++;
  if (data[0] !== (row % step === 0 ? row : 0)) throw new Error(`row ${row} begins with ${data[0]}`);
  if (row % step === 0) marks++;
}

// Row by row, over the whole file.
for (let row = 0; row < array.length; row += step / 16) see((await array.rows(row, row + 1)).data, row);
// As streams of half a GiB each, at both ends and in the middle.
const length = Math.ceil(2 ** 29 / (array.byteLength / array.length));
for (const start of [0, Math.floor(array.length / 2), array.length - length]) {
  for await (const chunk of array.stream({ start, stop: start + length })) {
    for (let i = 0; i < chunk.length; i++) see(chunk.at(i).data.subarray(chunk.at(i).offset), chunk.rowStart + i);
  }
}
// By gather, in an order that goes to and fro.
for (let batch = 0; batch < 100; batch++) {
  const wanted = Array.from({ length: 256 }, (_, i) => ((batch * 256 + i) * 7_368_787) % array.length);
  wanted[0] = batch * step;
  const gathered = await array.gather(wanted);
  for (const [i, row] of wanted.entries()) see(gathered.data.subarray(i * 1024), row);
}
await array.close();
const [, peakKib = "0"] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
console.log(JSON.stringify({ marks, rows, peakRssBytes: Number(peakKib) * 1024 }));
