import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { NdArray } from "@npystream/codec";
import { stage } from "@npystream/reader-stream";
import { type ChainedStage, type Run, runChained } from "./chained-stage.ts";
import { KEY, manifestNames, type ShardName, shardNames } from "./convention.ts";
import { scaleLevels } from "./digits-csv.ts";
import { startProducer } from "./producer-process.ts";
import { digitsCsv } from "./run-folder.ts";
import { writeShardManifest } from "./shard-manifest.ts";

/** What came in. */
export interface Ingested {
  /** Pairs that were ingested. */
  readonly pairs: number;
  /** How many of them were before the producer had ended. */
  readonly meanwhile: number;
}

/** A pair as it is dropped: as many labels as rows of grey levels. */
const pairs = {
  roles: { features: { dtype: "uint8", shape: ["N", 64] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

/** Scales the grey levels of each pair. */
const ingestPairs: ChainedStage<ShardName, typeof pairs> = {
  name: "ingest",
  from: "incoming",
  to: "ingested",
  names: shardNames,
  sets: pairs,
  work: async (set, { commit, signal }) => {
    await using levels = await set.arrays.features.open();
    await using labels = await set.arrays.labels.open();
    const scale = stage((chunk) => NdArray.from(scaleLevels(chunk.astype("uint8").data), chunk.shape));
    await commit(shardNames, { ...set.fields, role: "features" }, (out) =>
      pipeline(levels.stream(), scale, out, { signal }),
    );
    await commit(shardNames, { ...set.fields, role: "labels" }, await labels.read());
    return `${labels.length} rows`;
  },
};

/**
 * First stage: has a CSV dropped as pairs of shards, ingests them as they come, and when all are in writes a manifest, which
 * makes them one set for the next stage. Where there is a manifest, that has been done.
 */
export async function ingest(run: Run): Promise<Ingested> {
  const [incoming, ingested] = [join(run.folder, "incoming"), join(run.folder, "ingested")];
  const manifest = join(ingested, manifestNames.format({ key: KEY }));
  if (existsSync(manifest)) {
    return { pairs: 0, meanwhile: 0 };
  }
  await mkdir(incoming, { recursive: true });
  const noMore = new AbortController();
  await using producer = startProducer(digitsCsv, incoming);
  const dropped = producer.ended.finally(() => noMore.abort());
  dropped.catch(() => undefined); // waited for below
  const meanwhile = await runChained(run, ingestPairs, noMore.signal);
  const shards = await dropped;
  const rest = await runChained(run, ingestPairs);
  await writeShardManifest(manifest, shards);
  return { pairs: meanwhile + rest, meanwhile };
}
