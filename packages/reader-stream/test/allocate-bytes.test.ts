import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { allocateBytes } from "../src/allocate-bytes.ts";
import { testFolder } from "./arrays-by-numpy.ts";

const run = promisify(execFile);
const program = join(testFolder("allocate-bytes"), "chunks.mts");

/** Fills 256 chunks of 1 MiB, each dropped, and prints the page faults that it took: 65,536 where all memory is new. */
writeFileSync(
  program,
  `import { allocateBytes, reuseFreedMemory } from ${JSON.stringify(new URL("../src/allocate-bytes.ts", import.meta.url).href)};
const before = process.resourceUsage().minorPageFault;
reuseFreedMemory(256 << 20);
for (let i = 0; i < 256; i++) {
  allocateBytes(1 << 20).fill(i);
  await new Promise((resolve) => setImmediate(resolve));
}
console.log(process.resourceUsage().minorPageFault - before);
`,
);

async function faultsOfChunks(env: Readonly<Record<string, string>>): Promise<number> {
  const args = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, program];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...env } });
  return Number(stdout);
}

test("memory of dropped chunks is used again, unless somebody has set glibc's own means", async (t) => {
  const [kept, given] = await Promise.all([
    faultsOfChunks({}),
    faultsOfChunks({ MALLOC_MMAP_THRESHOLD_: "65536", MALLOC_TRIM_THRESHOLD_: "0" }),
  ]);
  // Other C libraries have no such means.
  const isGlibc = JSON.stringify(process.report.getReport()).includes("glibcVersionRuntime");
  t.true(!isGlibc || kept < given / 2, `${kept} and ${given} faults`);
});

test("bytes have a buffer of their own, of just their length", (t) => {
  for (const length of [0, 1, 100, 1 << 20, 40 << 20]) {
    const bytes = allocateBytes(length);
    t.is(bytes.length, length);
    t.is(bytes.buffer.byteLength, length);
  }
});
