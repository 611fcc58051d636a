import { type NameTemplate, nameTemplate } from "@npystream/pipeline-discovery";

/** How the files that come in are called: `0007.features.npy` and `0007.labels.npy`. */
export const incomingNames: NameTemplate<{ key: string; role: string }> = nameTemplate("{key}.{role}.npy");

/** What makes up a set. */
export const incomingSets = {
  roles: { features: { dtype: "float32", shape: ["N", 8] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

/** How the results are called: the mean of the features of each class. */
export const resultNames: NameTemplate<{ key: string }> = nameTemplate("{key}.means.npy");

/** Classes that labels tell apart. */
export const CLASSES = 4;

/** What the queue is called; both sides use the same name. */
export const QUEUE = "class-means";
