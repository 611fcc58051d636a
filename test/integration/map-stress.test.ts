import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const SECONDS = 8;
/** The heap of the second time may differ from that of the first; a leaked mapping that was read is 64 MiB. */
const MAX_GROWTH_BYTES = 40e6;

test("mappings that are sliced, dropped and collected by the hundred never go too early and never stay", async (t) => {
  t.timeout(300_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-map-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const make = `
import sys, numpy as np
for name, rows in ("rows", 4096), ("large", 1 << 18):
    np.save(f"{sys.argv[1]}/{name}.npy", np.arange(rows * 64, dtype="i4").reshape(rows, 64))
np.savez(sys.argv[1] + "/stored.npz", bytes=(np.arange(65536) % 256).astype("u1"))
`;
  await run("python3", ["-c", make, folder]);
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], { cwd: root });
  const program = join(root, "test/integration/map-stress.js");
  const { stdout } = await run(process.execPath, ["--expose-gc", program, folder, String(SECONDS)]);
  const { mapped, left } = JSON.parse(stdout) as { mapped: number; left: { mappings: number; rssBytes: number }[] };
  t.log(`${mapped} mappings in ${SECONDS} s, then ${JSON.stringify(left)}`);
  t.true(mapped > 100, String(mapped));
  const [first, second] = left;
  t.deepEqual([first?.mappings, second?.mappings], [0, 0]);
  t.true((second?.rssBytes ?? Number.POSITIVE_INFINITY) - (first?.rssBytes ?? 0) < MAX_GROWTH_BYTES);
});
