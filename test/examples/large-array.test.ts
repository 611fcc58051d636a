import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test from "ava";
import { decode } from "fast-png";
import { root } from "../package/workspace.ts";

const run = promisify(execFile);
const MAIN = join(root, "examples/large-array/main.ts");
const NODE_ARGUMENTS = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, MAIN];

test("a terrain is created in place, mapped, sliced and plotted, and NumPy reads it", async (t) => {
  t.timeout(120_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-terrain-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { stdout } = await run(process.execPath, [...NODE_ARGUMENTS, "--out", folder, "--size", "1536"]);
  const lines = stdout.split("\n");
  t.true(lines[0]?.endsWith("terrain.npy: float32 [1536, 1536], 9 MiB"), lines[0]);
  const picture = lines.filter((line) => line.length > 60 && /^[ .:\-=+*#%@]+$/.test(line));
  t.true(picture.length > 20, stdout);
  t.true(new Set(picture.join("")).size > 5);

  const check = `
import sys, numpy as np
x = np.load(sys.argv[1], mmap_mode="r")
assert x.shape == (1536, 1536) and x.dtype == "f4" and np.isfinite(x).all()
r, c = np.array([0, 700, 1535]), np.array([3, 900, 1535])
waves = [(400, 1.5, 1), (220, 2.5, 3.5), (90, 7, 5), (20, 13, 17), (3, 41, 37), (0.3, 101, 127)]
assert np.allclose(x[r, c], sum(h * np.sin(2 * np.pi * (a * c + d * r) / 1536) for h, a, d in waves), atol=1e-3)
`;
  await run("python3", ["-c", check, join(folder, "terrain.npy")]);
  for (const [name, cells] of [
    ["overview.png", 512],
    ["detail.png", 512],
  ] as const) {
    const image = decode(await readFile(join(folder, name)));
    t.like(image, { width: cells, height: cells, channels: 1, depth: 8 });
    t.true(new Set(image.data).size > 100);
  }
});

test("a size that cannot be is wrong use", async (t) => {
  const error = await t.throwsAsync(run(process.execPath, [...NODE_ARGUMENTS, "--size", "many"]));
  t.like(error, { code: 2, stderr: "--size is a whole number of cells from 2, not many\n" });
});
