import type { NdArray } from "@npystream/codec";

/** A picture of grey levels, row by row from the top. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly grey: Uint8Array;
}

/** Lights heights from the upper left, as maps do: slopes that face the light are bright, and high ground a little brighter. */
export function hillshade(heights: NdArray<"float32">, metresPerCell: number): Picture {
  const [height = 0, width = 0] = heights.shape;
  const { data } = heights.contiguous();
  const at = (row: number, column: number): number =>
    data[Math.min(row, height - 1) * width + Math.min(column, width - 1)] ?? 0;
  const [lowest, highest] = data.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
  const grey = new Uint8Array(width * height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const here = at(row, column);
      const [right, down] = [at(row, column + 1) - here, at(row + 1, column) - here];
      const lit = (metresPerCell + right + down) / Math.hypot(right, down, metresPerCell) / Math.sqrt(3);
      const level = highest > lowest ? (here - lowest) / (highest - lowest) : 0;
      grey[row * width + column] = Math.round(255 * Math.min(1, Math.max(0, 0.75 * lit + 0.25 * level)));
    }
  }
  return { width, height, grey };
}
