import type { ArraySet } from "@npystream/pipeline-discovery";

/** What is told of a set as it is taken and settled. Each of the last three settles it itself. */
export interface SetObserver {
  taken(set: ArraySet): Promise<void>;
  acked(set: ArraySet): Promise<void>;
  released(set: ArraySet): Promise<void>;
  quarantined(set: ArraySet, reason: string | Error): Promise<void>;
}

/** Gives the sets of `found` with an observer between them and who settles them; ending the loop ends `found`. */
export function observeSets(found: AsyncIterable<ArraySet>, observer: SetObserver): AsyncIterable<ArraySet> {
  return {
    // No generator: its `return` would wait for a `next` that waits for a file.
    [Symbol.asyncIterator]: () => {
      const iterator = found[Symbol.asyncIterator]();
      return {
        next: async () => {
          const result = await iterator.next();
          if (result.done === true) return result;
          await observer.taken(result.value);
          return { done: false, value: observeSet(result.value, observer) };
        },
        return: async () => {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function observeSet(set: ArraySet, observer: SetObserver): ArraySet {
  const { id, key, fields, root, missing, arrays } = set;
  return {
    id,
    key,
    fields,
    root,
    missing,
    arrays,
    get generation() {
      return set.generation;
    },
    verify: () => set.verify(),
    ack: () => observer.acked(set),
    release: () => observer.released(set),
    quarantine: (reason) => observer.quarantined(set, reason),
  };
}
