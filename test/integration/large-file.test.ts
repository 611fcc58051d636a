import { execFile } from "node:child_process";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAX_RSS_BYTES = 150e6;
const EVERY = 1 << 15;

test("20 GiB are read row by row, as streams and by gather under 150 MB of memory", async (t) => {
  t.timeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-large-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "large.npy");
  // The file is sparse: only the rows that begin with their number take room on disk.
  const make = `
import sys, numpy as np
x = np.lib.format.open_memmap(sys.argv[1], "w+", "f4", (5 << 20, 1024))
x[:: int(sys.argv[2]), 0] = np.arange(0, 5 << 20, int(sys.argv[2]))
`;
  await run("python3", ["-c", make, file, String(EVERY)]);
  t.true((await stat(file)).size > 20 * 2 ** 30);
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], { cwd: root });
  const program = join(root, "test/integration/read-large-file.js");
  const { stdout } = await run(process.execPath, [program, file, String(EVERY)]);
  const seen = JSON.parse(stdout) as { marks: number; rows: number; peakRssBytes: number };
  t.true(seen.rows > 3 * 2 ** 17);
  t.true(seen.marks >= 160 + 3 * 4 + 100, `${seen.marks} marks`);
  t.true(seen.peakRssBytes > 30e6 && seen.peakRssBytes < MAX_RSS_BYTES, `${Math.round(seen.peakRssBytes / 1e6)} MB`);
  t.log(`peak RSS ${Math.round(seen.peakRssBytes / 1e6)} MB`);
});
