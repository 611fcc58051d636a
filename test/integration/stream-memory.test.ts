import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAX_RSS_BYTES = 150e6;

test("1 GiB goes through read, stage and write under 150 MB of memory, and NumPy reads what comes out", async (t) => {
  t.timeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-memory-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [from, to] = [join(folder, "in.npy"), join(folder, "out.npy")];
  // 1 GiB of zeros with marks in it: the file is sparse, so only the copy takes room on disk.
  const make = `
import sys, numpy as np
x = np.lib.format.open_memmap(sys.argv[1], "w+", "f4", (1 << 20, 256))
x[::65536, 3] = np.arange(16)
`;
  await run("python3", ["-c", make, from]);
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], { cwd: root });
  const { stdout } = await run(process.execPath, [join(root, "test/integration/copy-through-stage.js"), from, to]);
  const { rows, peakRssBytes } = JSON.parse(stdout) as { rows: number; peakRssBytes: number };
  t.is(rows, 1 << 20);
  t.true(peakRssBytes > 30e6 && peakRssBytes < MAX_RSS_BYTES, `${Math.round(peakRssBytes / 1e6)} MB`);
  t.log(`peak RSS ${Math.round(peakRssBytes / 1e6)} MB`);
  const check = `
import sys, numpy as np
y = np.load(sys.argv[1], mmap_mode="r")
assert y.shape == (1 << 20, 256) and y.dtype == "f4"
assert (y[::65536, 3] == np.arange(16) + 1).all() and (y[1::65536] == 1).all() and y[-1, -1] == 1
`;
  await run("python3", ["-c", check, to]);
});
