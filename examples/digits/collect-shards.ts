import type { Logger } from "@npystream/codec";
import { discover } from "@npystream/pipeline-discovery";
import { contract, names, pairName } from "./convention.ts";
import type { Producer } from "./producer-process.ts";

/** A pair of shards as discovery delivered it. */
export interface ShardPair {
  /** `0003` */
  readonly name: string;
  /** Path of the float32 `[rows, 64]` shard. */
  readonly features: string;
  /** Path of the int64 `[rows]` shard. */
  readonly labels: string;
  readonly rows: number;
}

/** What {@link collectShards} needs. */
export interface CollectOptions {
  /** Folder that the producer drops into. */
  readonly folder: string;
  readonly producer: Producer;
  readonly logger: Logger;
  /** Called with every pair as it is delivered. */
  readonly onDelivered: (pair: ShardPair) => void;
}

/** How long a pair may be missing after the producer has ended, in milliseconds. */
const MISSING_MS = 60_000;

/**
 * Discovers complete pairs while the producer is at work, and ends when everything that it announced has been delivered.
 *
 * @returns the pairs in the order of their names, whatever the order in which they came
 * @throws Error where a pair is delivered twice or never, or the producer fails
 */
export async function collectShards(options: CollectOptions): Promise<readonly ShardPair[]> {
  const { folder, producer, logger, onDelivered } = options;
  const delivered = new Map<string, ShardPair>();
  const stop = new AbortController();
  const allDelivered = new Error("everything that was announced has been delivered");
  let announced: ReadonlySet<string> | undefined;
  let deadline: NodeJS.Timeout | undefined;

  const missing = (): string[] => [...(announced ?? [])].filter((name) => !delivered.has(name));
  const isComplete = (): boolean => announced !== undefined && missing().length === 0;
  const onEnded = (pairs: ReadonlySet<string>): void => {
    announced = pairs;
    if (isComplete()) {
      stop.abort(allDelivered); // the last pair came before the news that it was the last
    }
    deadline = setTimeout(() => stop.abort(new Error(`never delivered: ${missing().join(", ")}`)), MISSING_MS);
  };
  const producerEnded = producer.ended.then(onEnded, (error: unknown) => stop.abort(error));

  try {
    await using found = discover({ roots: folder, names, sets: contract, logger, signal: stop.signal });
    for await (const set of found) {
      const { features, labels } = set.arrays;
      const name = pairName(set.fields.shard);
      if (delivered.has(name)) {
        throw new Error(`the pair ${name} was delivered twice`);
      }
      const pair = { name, features: features.path, labels: labels.path, rows: labels.shape[0] ?? 0 };
      delivered.set(name, pair);
      await set.ack();
      onDelivered(pair);
      if (isComplete()) {
        break;
      }
    }
  } catch (error) {
    if (error !== allDelivered) {
      throw error;
    }
  } finally {
    clearTimeout(deadline);
  }
  await producerEnded;
  return [...delivered.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
