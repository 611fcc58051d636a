import { type NameTemplate, nameTemplate } from "@npystream/pipeline-discovery";

/** Fields in the name of one file in the watched folder. */
export interface ShardFileName {
  readonly shard: number;
  readonly role: string;
}

/** Grey levels of one digit, an 8 x 8 image line by line. */
export const PIXELS = 64;

/** Digits that there are. */
export const CLASSES = 10;

/** How the producer names the files it drops and how discovery reads those names: one convention for both. */
export const names: NameTemplate<ShardFileName> = nameTemplate("{shard:04}.{role}.npy");

/** What a pair must hold: as many labels as rows of features. */
export const contract = {
  roles: {
    features: { dtype: "float32", shape: ["N", 64] },
    labels: { dtype: "int64", shape: ["N"] },
  },
} as const;

/** Paths of features and labels that belong together: row by row the same digit. */
export interface DigitPaths {
  /** float32 `[n, 64]`: one `.npy`, or shards in their order. */
  readonly features: string | readonly string[];
  /** int64 `[n]`: one `.npy`, or shards in their order. */
  readonly labels: string | readonly string[];
}

/** The name under which producer and consumer speak of a pair: `0003`. */
export function pairName(shard: number): string {
  return String(shard).padStart(4, "0");
}
