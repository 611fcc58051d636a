import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NdArray } from "@npystream/codec";
import test from "ava";

/** A folder of this test file's own, removed when its tests have ended. */
export function testFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `npystream-${name}-`));
  test.after.always(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a Python program with NumPy as `np`, json and sys; gives back what it printed as JSON, or nothing. */
export function numpy<T>(program: string, ...args: readonly string[]): T {
  const text = execFileSync("python3", ["-c", `import json, sys\nimport numpy as np\n${program}`, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return (text.trim() === "" ? undefined : JSON.parse(text)) as T;
}

/** The elements as NumPy's `tolist()` gives them in JSON: integers as numbers, complex numbers as pairs. */
export function plain(array: NdArray): unknown {
  const simple = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(simple);
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "object" && value !== null && "re" in value && "im" in value) return [value.re, value.im];
    return value;
  };
  return simple(array.toNested());
}

/** Number of descriptors that this process holds open on files in `folder`. */
export function openDescriptors(folder: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
    } catch {
      // The descriptor of this very listing is gone by now.
      return false;
    }
  }).length;
}
