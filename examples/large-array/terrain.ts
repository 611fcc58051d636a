import { createMappedNpy } from "@npystream/reader-stream";

/** Waves that make up the terrain: height in metres, and turns over the whole width in each direction. */
const WAVES = [
  { height: 400, across: 1.5, down: 1 },
  { height: 220, across: 2.5, down: 3.5 },
  { height: 90, across: 7, down: 5 },
  { height: 20, across: 13, down: 17 },
  { height: 3, across: 41, down: 37 },
  { height: 0.3, across: 101, down: 127 },
];

/**
 * Writes heights in metres as float32, shape `[size, size]`, into a mapped file: no row of it is ever an array of its own.
 *
 * @param onRows - Hears how many rows are done, from time to time.
 */
export function createTerrain(path: string, size: number, onRows: (rows: number) => void): void {
  using terrain = createMappedNpy(path, { dtype: "float32", shape: [size, size], overwrite: true });
  // A sine of a sum is two products of sines, so each wave takes two tables in place of a sine an element.
  const tables = WAVES.map(({ height, across, down }) => ({
    height,
    across: waveTables(size, across),
    down: waveTables(size, down),
  }));
  const { data } = terrain;
  for (let row = 0; row < size; row++) {
    const heights = data.subarray(row * size, (row + 1) * size);
    for (const { height, across, down } of tables) {
      const [sine, cosine] = [height * (down.sine[row] ?? 0), height * (down.cosine[row] ?? 0)];
      for (let column = 0; column < size; column++) {
        const value = cosine * (across.sine[column] ?? 0) + sine * (across.cosine[column] ?? 0);
        heights[column] = (heights[column] ?? 0) + value;
      }
    }
    if ((row + 1) % 256 === 0 || row + 1 === size) onRows(row + 1);
  }
  terrain.flush();
}

function waveTables(size: number, turns: number): { readonly sine: Float64Array; readonly cosine: Float64Array } {
  const angle = (i: number): number => (2 * Math.PI * turns * i) / size;
  return {
    sine: Float64Array.from({ length: size }, (_, i) => Math.sin(angle(i))),
    cosine: Float64Array.from({ length: size }, (_, i) => Math.cos(angle(i))),
  };
}
