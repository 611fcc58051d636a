import pLimit from "p-limit";

/**
 * Runs `work` over the items, at most `concurrency` at once, taking the next item only once one has ended.
 *
 * After a failure no more items are taken; it is thrown once everything under way has ended, since that may still write to
 * the caller's memory.
 */
export async function eachConcurrently<T>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const drain = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && failures.length === 0; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  const limit = pLimit(concurrency);
  await Promise.all(Array.from({ length: concurrency }, () => limit(drain)));
  if (failures.length > 0) throw failures[0];
}
