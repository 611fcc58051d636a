/**
 * Makes a large array, maps it, and plots an overview and a detail of it.
 *
 *     node examples/dist/large-array/main.js [--out DIR] [--size N]
 */
import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mapNpy, openNpy } from "@npystream/reader-stream";
import { encode } from "fast-png";
import { hillshade, type Picture } from "./hillshade.ts";
import { createTerrain } from "./terrain.ts";
import { textPicture } from "./text-picture.ts";

/** Cells a side of each picture. */
const PICTURE_CELLS = 512;
/** Width and height of the whole terrain. */
const TERRAIN_METRES = 20_000;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: fileURLToPath(new URL("../../large-array/run", import.meta.url)) },
    size: { type: "string", default: "8192" },
  },
});
const size = Number(values.size);
if (!Number.isInteger(size) || size < 2) {
  console.error(`--size is a whole number of cells from 2, not ${values.size}`);
  process.exit(2);
}
await mkdir(values.out, { recursive: true });
const path = join(values.out, "terrain.npy");
createTerrain(path, size, (rows) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${rows} of ${size} rows${rows === size ? "\n" : ""}`);
});
console.log(`${path}: float32 [${size}, ${size}], ${((await stat(path)).size / 2 ** 20).toFixed(0)} MiB`);

// Every so many cells of the mapped file: only the pages that hold them are looked at.
{
  using terrain = mapNpy(path);
  const step = Math.max(1, Math.floor(size / PICTURE_CELLS));
  const overview = terrain.slice({ step }, { step }).astype("float32");
  const picture = hillshade(overview, (TERRAIN_METRES / size) * step);
  await savePng(picture, "overview.png");
  console.log(textPicture(picture, Math.min(96, process.stdout.columns ?? 96)));
}

// The middle in full, through reads: no more of the file than the slice is in memory.
{
  const terrain = await openNpy(path);
  const cells = Math.min(size, PICTURE_CELLS);
  const start = Math.floor((size - cells) / 2);
  const middle = { start, stop: start + cells };
  const detail = terrain.slice(middle, middle);
  await savePng(hillshade(await detail.read({ as: "float32" }), TERRAIN_METRES / size), "detail.png");
  await terrain.close();
}

async function savePng({ width, height, grey }: Picture, name: string): Promise<void> {
  const file = join(values.out, name);
  await writeFile(file, encode({ width, height, data: grey, channels: 1, depth: 8 }));
  console.log(`${file}: ${width} x ${height}`);
}
