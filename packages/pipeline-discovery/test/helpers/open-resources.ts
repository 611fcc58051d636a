import { readdirSync, readlinkSync } from "node:fs";

/** Counts the descriptors of this process that are open on something below `folder`. */
export function openDescriptors(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      return false; // closed meanwhile, such as the one that lists them
    }
  }).length;
}

/** Counts the watchers of this thread. AVA runs each test file in a thread of its own. */
export function openWatchers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "FSEventWrap").length;
}
