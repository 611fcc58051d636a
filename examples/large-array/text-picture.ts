import type { Picture } from "./hillshade.ts";

/** Characters from dark to bright. */
const RAMP = " .:-=+*#%@";

/** Draws a picture as lines of text of at most `columns` characters; a character is two cells high. */
export function textPicture({ width, height, grey }: Picture, columns: number): string {
  const step = Math.max(1, Math.ceil(width / columns));
  const lines: string[] = [];
  for (let row = 0; row < height; row += 2 * step) {
    let line = "";
    for (let column = 0; column < width; column += step) {
      const level = (grey[row * width + column] ?? 0) / 256;
      line += RAMP[Math.floor(level * RAMP.length)];
    }
    lines.push(line);
  }
  return lines.join("\n");
}
