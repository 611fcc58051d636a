import type { RootFolder } from "./root-folder.ts";

/** Files of one folder that were listed and not yet sorted into sets. */
interface Arrivals {
  readonly root: RootFolder;
  readonly folder: string;
  readonly names: string[];
  next: number;
}

/** Files as they were found, in the order in which they are to be sorted into sets. */
export class ArrivalQueue {
  readonly #arrivals: Arrivals[] = [];

  get isEmpty(): boolean {
    return this.#arrivals.length === 0;
  }

  /** Takes up files of one folder; `folder` is relative to the root. */
  push(root: RootFolder, folder: string, names: readonly string[]): void {
    const last = this.#arrivals.at(-1);
    if (last?.root === root && last.folder === folder) {
      // Files that hints tell of come one by one, and would be thirty times as large by themselves as their names in a list.
      for (const name of names) {
        last.names.push(name);
      }
    } else {
      this.#arrivals.push({ root, folder, names: [...names], next: 0 });
    }
  }

  /** Hands over up to this many files, by their folders below the root. */
  take(count: number, each: (root: RootFolder, folder: string, name: string) => void): void {
    const arrivals = this.#arrivals[0];
    if (arrivals === undefined) {
      return;
    }
    const { root, folder, names } = arrivals;
    for (const name of names.slice(arrivals.next, arrivals.next + count)) {
      each(root, folder, name);
    }
    arrivals.next += count;
    if (arrivals.next >= names.length) {
      this.#arrivals.shift();
    }
  }
}
