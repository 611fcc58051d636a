const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Words a number of bytes for people, `250.1 KiB`; below 1 KiB it is exact. */
export function humanBytes(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let value = bytes;
  let unit = "";
  for (const next of UNITS) {
    // 1023.95 would round to 1024.0 of a unit.
    if (unit !== "" && value < 1023.95) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(1)} ${unit}`;
}

/** Words a number of bytes exactly, and for people where that is shorter: `256000 (250.0 KiB)`. */
export function exactBytes(bytes: number): string {
  return bytes < 1024 ? String(bytes) : `${bytes} (${humanBytes(bytes)})`;
}
