import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const SECONDS = 8;
/** Other versions of Node to run it on too, which npm installs into its cache: `NPYSTREAM_NODES=22,24,26`. */
const NODES = (process.env["NPYSTREAM_NODES"] ?? "").split(",").filter((version) => version !== "");
/** The heap of the second time may differ from that of the first; a leaked mapping that was read is 64 MiB. */
const MAX_GROWTH_BYTES = 40e6;

const stress = test.macro(async (t, version?: string) => {
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
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/reader-stream"], {
    cwd: root,
  });
  const program = join(root, "test/integration/map-stress.js");
  const node = version === undefined ? [process.execPath] : ["npx", "-y", "-p", `node@${version}`, "node"];
  const [command = "", ...args] = [...node, "--expose-gc", program, folder, String(SECONDS)];
  const { stdout } = await run(command, args);
  const report = JSON.parse(stdout) as { node: string; mapped: number; left: { mappings: number; rssBytes: number }[] };
  const { mapped, left } = report;
  t.log(`${report.node}: ${mapped} mappings in ${SECONDS} s, then ${JSON.stringify(left)}`);
  if (version !== undefined) t.true(report.node.startsWith(`v${version}`), report.node);
  t.true(mapped > 100, String(mapped));
  const [first, second] = left;
  t.deepEqual([first?.mappings, second?.mappings], [0, 0]);
  t.true((second?.rssBytes ?? Number.POSITIVE_INFINITY) - (first?.rssBytes ?? 0) < MAX_GROWTH_BYTES);
});

const title = "mappings that are sliced, dropped and collected by the hundred never go too early and never stay";
test.serial(title, stress);
for (const version of NODES) test.serial(`${title}, on Node ${version}`, stress, version);
