import { RootFolder } from "../../src/root-folder.ts";
import type { SetNames } from "../../src/set-names.ts";
import { MemoryLogger } from "./memory-logger.ts";

/** A root in which nothing is ever listed. */
export function idleRoot(path: string, names: SetNames): RootFolder {
  const skip = (): void => undefined;
  const observer = { appeared: skip, vanished: skip, touched: skip, doubted: skip };
  const logger = new MemoryLogger();
  return new RootFolder(path, { names, hints: "none", sweepMs: 1000, logger, observer, onUnmatched: skip });
}
