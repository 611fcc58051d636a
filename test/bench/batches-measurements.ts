import type { Comparison } from "./measurements.ts";

const numpy = (label: string, target: number, task?: string): Comparison["rivals"][number] => ({
  ...{ side: "numpy" as const, label, target },
  ...(task === undefined ? {} : { task }),
});

const INDEXED = "x[idx] batches of loaded arrays";
const EPOCH = "one shuffled epoch, 262,144 x 256 float32 and int64 labels, batch 1024";

/** What is measured of batches: P9 to P11. Their sides are in `batches-ours.ts`, `batches-numpy.py` and `batches-torch.py`. */
export const batchComparisons: readonly Comparison[] = [
  {
    id: "P9",
    task: "batches-epoch-whole",
    title: `${EPOCH}, files read whole (memory 320 MiB)`,
    rivals: [
      numpy(INDEXED, 1, "batches-epoch"),
      { side: "torch", label: "DataLoader(shuffle=True)", task: "batches-epoch", target: 0.05 },
    ],
  },
  {
    id: "P9p",
    task: "batches-epoch-pooled",
    title: "the same with ownership 'pooled'",
    rivals: [numpy(INDEXED, 1, "batches-epoch")],
  },
  {
    id: "P9f",
    task: "batches-epoch",
    title: "the same from mapped files (memory 256 MiB, which they do not fit)",
    rivals: [numpy(INDEXED, 1)],
  },
  {
    id: "P9b",
    task: "batches-epoch-blocks",
    title: "the same shuffled by blocks, in windows that are read",
    rivals: [numpy(INDEXED, 1, "batches-epoch")],
  },
  {
    id: "P9m",
    task: "batches-memory",
    title: "the same from arrays in memory",
    rivals: [numpy(INDEXED, 1)],
  },
  {
    id: "P9s",
    task: "batches-rows-64",
    title: "256 MiB in memory as rows of 64 bytes, shuffled",
    rivals: [numpy(INDEXED, 1)],
  },
  {
    id: "P9l",
    task: "batches-rows-16k",
    title: "256 MiB in memory as rows of 16 KiB, shuffled",
    rivals: [numpy(INDEXED, 1)],
  },
  {
    id: "P9c",
    task: "batches-cast",
    title: "65,536 x 256 float64 as float32 and int64 labels as int32, in memory, shuffled",
    rivals: [numpy("x[idx].astype(...)", 1)],
  },
  {
    id: "P9t",
    task: "batches-first",
    title: "from opening the files of P9 to the first batch of a block shuffle",
    rivals: [
      numpy("np.load(mmap_mode='r'), permutation, x[idx]", 1),
      { side: "torch", label: "np.load, first batch of a DataLoader", target: 0.1 },
    ],
  },
  {
    id: "P10",
    task: "batches-cold",
    title: "P9 from a cold cache",
    cold: ["256m.npy", "labels.npy"],
    rivals: [numpy("memmap rows in random order", 0.03)],
  },
  {
    id: "P10b",
    task: "batches-cold-blocks",
    title: "P9b from a cold cache",
    cold: ["256m.npy", "labels.npy"],
    rivals: [numpy("memmap rows in random order", 0.03, "batches-cold")],
  },
  {
    id: "P11",
    task: "batches-resume",
    title: "six times to the first batch at 10, 50 and 99 % of 10^9 shuffled rows",
    rivals: [numpy("np.random.permutation of a tenth of the rows", 1)],
  },
];
