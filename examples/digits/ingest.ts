import { mkdir } from "node:fs/promises";
import type { Logger } from "@npystream/codec";
import { collectShards, type ShardPair } from "./collect-shards.ts";
import type { DigitPaths } from "./convention.ts";
import { startProducer } from "./producer-process.ts";

/** What {@link ingest} tells while it works. */
export interface IngestOptions {
  readonly logger: Logger;
  /** Called with the name of every pair that the producer has dropped. */
  readonly onDropped: (pair: string) => void;
  /** Called with every pair as it is delivered. */
  readonly onDelivered: (pair: ShardPair) => void;
}

/** What came in. */
export interface Ingested extends DigitPaths {
  readonly features: readonly string[];
  readonly labels: readonly string[];
  /** How many pairs had been delivered before the producer dropped its last one. */
  readonly deliveredMeanwhile: number;
}

/** First step: has a CSV dropped as pairs of shards into `folder`, and discovers them as they come. */
export async function ingest(csv: string, folder: string, options: IngestOptions): Promise<Ingested> {
  const { logger, onDropped, onDelivered } = options;
  await mkdir(folder, { recursive: true });
  let [dropped, delivered] = [0, 0];
  let deliveredMeanwhile = 0;
  await using producer = startProducer(csv, folder, (pair) => {
    // The news of a pair may come later than the pair itself.
    deliveredMeanwhile = Math.min(delivered, dropped);
    dropped += 1;
    onDropped(pair);
  });
  const pairs = await collectShards({
    folder,
    producer,
    logger,
    onDelivered: (pair) => {
      delivered += 1;
      onDelivered(pair);
    },
  });
  const [features, labels] = [pairs.map((pair) => pair.features), pairs.map((pair) => pair.labels)];
  return { features, labels, deliveredMeanwhile };
}
