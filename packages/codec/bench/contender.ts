import { crc32 } from "node:zlib";

/** What one side measured of itself in one turn. */
export interface Taken {
  /** Time of one repeat in milliseconds, the median of the turn: others of a shared machine interrupt a few. */
  readonly ms: number;
  /** CRC-32 of the bytes that the last repeat made. */
  readonly checksum: number;
  /** Whether these bytes are where the input is, which was not copied. */
  readonly isView?: boolean;
}

/** Does the work once and gives what it made: bytes, or text of what it found. */
export type Work = () => Made | Promise<Made>;

type Made = ArrayBufferView | string;

/** The same work on several sides. */
export interface Case {
  /** Its name, the same in numpy_side.py where NumPy takes part. */
  readonly id: string;
  /** What is done, for the table. */
  readonly title: string;
  /** What is counted: of these, `amount` a repeat. */
  readonly unit: "headers" | "elements" | "bytes" | "arrays";
  /** Units a repeat. */
  readonly amount: number;
  /** Repeats a turn; odd where the work is done in place and undone by the next. */
  readonly repeats: number;
  /** Memory of the input, where the table is to tell a view of it from a copy. */
  readonly input?: ArrayBufferLike;
  /** Our side. */
  readonly ours: Work;
  /** A plain copy or Node's own means; `undefined` where there is none. */
  readonly node?: { readonly label: string; readonly work: Work; readonly isCopy?: boolean };
  /** npyjs; `undefined` where it has no such function. */
  readonly npyjs?: Work | undefined;
  /** numpy-ts; `undefined` where it has no such function. */
  readonly numpyTs?: Work | undefined;
  /** Whether NumPy takes part. @defaultValue true */
  readonly numpy?: boolean;
}

/** Does the work so many times and measures it; the checksum is outside of the time. */
export async function take(work: Work, repeats: number, input?: ArrayBufferLike): Promise<Taken> {
  const times: number[] = [];
  let made: Made = "";
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    const next = work();
    made = next instanceof Promise ? await next : next;
    times.push(performance.now() - start);
  }
  const ms = median(times);
  if (typeof made === "string") return { ms, checksum: crc32(made) };
  const bytes = new Uint8Array(made.buffer, made.byteOffset, made.byteLength);
  return { ms, checksum: crc32(bytes), isView: made.buffer === input };
}

/** Gives the middle of some numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
