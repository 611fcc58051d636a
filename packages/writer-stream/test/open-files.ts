import { readdirSync, readlinkSync } from "node:fs";

/** Files in `folder` that this process holds open; other test files run in the same process and are not counted. */
export function openFiles(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // Closed since the folder was listed.
      return [];
    }
  });
}
