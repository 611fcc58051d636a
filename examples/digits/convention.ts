import { type NameTemplate, nameTemplate } from "@npystream/pipeline-discovery";

/** Grey levels of one digit, an 8 x 8 image line by line. */
export const PIXELS = 64;

/** Digits that there are. */
export const CLASSES = 10;

/** The key of everything that comes of this data, in every stage. */
export const KEY = "digits";

/** A folder for what comes in, and one for the results of each stage, in the order of the stages. */
export const stageFolders = ["incoming", "ingested", "standardised", "trained", "predicted"] as const;

/** One of the folders. */
export type StageFolder = (typeof stageFolders)[number];

/** Fields in the name of one array of a stage. */
export interface ArrayName {
  readonly key: string;
  readonly role: string;
}

/** Fields in the name of one array of a shard. */
export interface ShardName extends ArrayName {
  readonly shard: number;
}

/** How arrays are named: by where their data comes from, and what they are. */
export const arrayNames: NameTemplate<ArrayName> = nameTemplate("{key}.{role}.npy");

/** How arrays are named of which each shard is a file. */
export const shardNames: NameTemplate<ShardName> = nameTemplate("{key}-{shard:04}.{role}.npy");

/** How the file is named that says which shards there are. */
export const manifestNames: NameTemplate<{ readonly key: string }> = nameTemplate("{key}.manifest.json");

/** How a file is named that holds several arrays. */
export const archiveNames: NameTemplate<{ readonly key: string }> = nameTemplate("{key}.npz");
