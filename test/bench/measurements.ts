import { batchComparisons } from "./batches-measurements.ts";

/** One other side of a measurement, and the ratio of our time to its time that is to be reached. */
export interface Rival {
  readonly side: "numpy" | "plain-node" | "torch";
  /** What it does, for the table. */
  readonly label: string;
  /** Its name for the task where it differs from ours. */
  readonly task?: string;
  readonly target: number;
}

/** The same work on several sides. */
export interface Comparison {
  /** Number in the list of what must be measured. */
  readonly id: string;
  readonly task: string;
  readonly title: string;
  readonly rivals: readonly Rival[];
  /** Files that are dropped from the page cache before each side runs. */
  readonly cold?: readonly string[];
}

/** What `pnpm bench` measures. */
export const comparisons: readonly Comparison[] = [
  {
    id: "P1",
    task: "map-row",
    title: "open a 1 GiB .npy mapped and read one row, 300 times",
    rivals: [{ side: "numpy", label: "np.load(mmap_mode='r')", target: 1 }],
  },
  {
    id: "P2a",
    task: "load",
    title: "load 256 MiB float32",
    rivals: [{ side: "numpy", label: "np.load", target: 1 }],
  },
  {
    id: "P2b",
    task: "load-sum",
    title: "load 256 MiB float32 and sum it",
    rivals: [{ side: "numpy", label: "np.load(...).sum()", target: 1.5 }],
  },
  {
    id: "P3",
    task: "stream",
    title: "stream 1 GiB as row chunks",
    rivals: [
      { side: "numpy", label: "loop over memmap slices, copying", target: 1 },
      { side: "plain-node", label: "createReadStream", target: 1 },
    ],
  },
  {
    id: "P3p",
    task: "stream-pooled",
    title: "the same with ownership 'pooled'",
    rivals: [{ side: "numpy", label: "loop over memmap slices, copying", task: "stream", target: 1 }],
  },
  {
    id: "P4",
    task: "npz-stored",
    title: "one of four 64 MiB members of a stored .npz, with its CRC",
    rivals: [{ side: "numpy", label: "np.load(f)['c']", target: 0.8 }],
  },
  {
    id: "P4m",
    task: "npz-mapped",
    title: "one row of one of four 64 MiB members of a stored .npz, mapped",
    rivals: [{ side: "numpy", label: "np.load(f)['c']", target: 0.05 }],
  },
  {
    id: "P5",
    task: "npz-deflated",
    title: "all four members of a deflated .npz",
    rivals: [{ side: "numpy", label: "np.load", target: 0.5 }],
  },
  {
    id: "P6",
    task: "npz-slice",
    title: "1,000 rows from the middle of a deflated 256 MiB member with a block table",
    rivals: [{ side: "numpy", label: "np.load(f)['array'][a:b]", target: 0.05 }],
  },
  {
    id: "P7a",
    task: "save",
    title: "write a 256 MiB .npy, fsynced",
    rivals: [{ side: "numpy", label: "np.save, not fsynced", target: 1 }],
  },
  {
    id: "P7b",
    task: "savez",
    title: "write a 256 MiB stored .npz, fsynced",
    rivals: [{ side: "numpy", label: "np.savez, not fsynced", target: 0.5 }],
  },
  {
    id: "P7c",
    task: "savez-deflated",
    title: "write a 64 MiB deflated .npz",
    rivals: [{ side: "numpy", label: "np.savez_compressed", target: 0.55 }],
  },
  {
    id: "P8",
    task: "rows",
    title: "1,000,000 rows of 512 bytes, one at a time",
    rivals: [
      { side: "plain-node", label: "createWriteStream, not fsynced", target: 0.2 },
      { side: "numpy", label: "file.write a row, as npy-append-array", target: 1 },
    ],
  },
  ...batchComparisons,
  {
    id: "P12",
    task: "small-files",
    title: "10,000 small .npy files, headers and data",
    rivals: [{ side: "numpy", label: "np.load loop", target: 0.35 }],
  },
  {
    id: "P13",
    task: "discover",
    title: "discover 100,000 files as pairs checked by header",
    rivals: [
      { side: "numpy", label: "glob and np.load(mmap_mode='r')", target: 0.3 },
      { side: "plain-node", label: "chokidar to ready, no headers", task: "watch", target: 0.4 },
    ],
  },
  {
    id: "P14",
    task: "deliver",
    title: "a pair of files from its last byte to its delivery, five times",
    rivals: [{ side: "plain-node", label: "chokidar with awaitWriteFinish", target: 0.1 }],
  },
  {
    id: "P15",
    task: "pipeline",
    title: "three stages, 1 GiB in, 1 GiB out, fsynced",
    rivals: [{ side: "numpy", label: "chunk loop with open_memmap", target: 1.2 }],
  },
];
