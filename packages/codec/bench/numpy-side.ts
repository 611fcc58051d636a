import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Taken } from "./contender.ts";

const script = fileURLToPath(new URL("numpy_side.py", import.meta.url));

/** NumPy in a process of its own, which times inside itself and is asked turn by turn. */
export interface NumpySide {
  /** Versions of Python and of NumPy. */
  readonly versions: readonly [python: string, numpy: string];
  /** Does a case's work so many times. */
  take(id: string, repeats: number): Promise<Taken>;
  /** Ends the process. */
  close(): void;
}

/** Starts NumPy and waits until its inputs are made. */
export async function startNumpy(): Promise<NumpySide> {
  const child = spawn("python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error("NumPy's side ended: its message is above");
    return JSON.parse(value);
  };
  // The script writes nothing but these two kinds of lines.
  const versions = (await answer()) as [string, string];
  return {
    versions,
    async take(id, repeats) {
      child.stdin.write(`${id} ${repeats}\n`);
      return (await answer()) as Taken;
    },
    close: () => child.stdin.end(),
  };
}

/** Gives a deflated `.npz` of 1,048,576 float32 as NumPy writes it. */
export function numpyArchive(): Uint8Array {
  return execFileSync("python3", [script, "archive"], { maxBuffer: 1 << 26 });
}
