import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import test from "ava";
import { root } from "../package/workspace.ts";

const NODE = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
const STAGE = join(root, "test/interop/pipe-stage.ts");

/** np.save on what has only `write`: of a file it asks the position, which a pipe has not. */
const PRODUCE = `
import sys
import numpy as np
class Out: write = staticmethod(sys.stdout.buffer.write)
`;
/** read_array on what has only `read`, as often as something is left. */
const CONSUME = `
import json, sys
import numpy as np
class In: read = staticmethod(sys.stdin.buffer.read)
def arrays():
    while sys.stdin.buffer.peek(1): yield np.lib.format.read_array(In)
`;

interface PipeResult {
  /** What the consumer printed, as JSON. */
  readonly printed: unknown;
  /** What the stage printed to stderr, as JSON. */
  readonly told: { readonly code?: string };
  /** Exit codes of producer, stage and consumer. */
  readonly codes: readonly (number | null)[];
}

/** Runs `python produce | node stage | python consume`, three processes joined by the system's pipes. */
async function runPipe(produce: string, consume: string, ...args: readonly string[]): Promise<PipeResult> {
  const shell = `python3 -c "$PRODUCE" | "$NODE" ${NODE.map((word) => `'${word}'`).join(" ")} '${STAGE}' ${args.join(" ")} | python3 -c "$CONSUME" >&3
echo "\${PIPESTATUS[*]}"`;
  const env = {
    ...process.env,
    NODE: process.execPath,
    PRODUCE: `${PRODUCE}${produce}`,
    CONSUME: `${CONSUME}${consume}`,
  };
  const child = spawn("bash", ["-c", shell], { env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
  const [stdout, stderr, third] = child.stdio.slice(1) as [Readable, Readable, Readable];
  const [status, told, printed] = await Promise.all([text(stdout), text(stderr), text(third), once(child, "close")]);
  return {
    printed: printed === "" ? undefined : JSON.parse(printed),
    told: told === "" ? {} : JSON.parse(told),
    codes: status.trim().split(" ").map(Number),
  };
}

test.serial("arrays go from Python through a Node stage to Python, which reads them as they come", async (t) => {
  const produce = `
for n in (700, 1, 2500, 0, 99):
    np.save(Out, np.arange(n * 5, dtype='>i8').reshape(n, 5))
`;
  const consume = `
parts = list(arrays())
x = np.concatenate(parts)
want = np.concatenate([np.arange(n * 5).reshape(n, 5) for n in (700, 1, 2500, 0, 99)]) * 2
print(json.dumps([x.dtype.str, x.shape, bool((x == want).all()), [len(p) for p in parts]]))
`;
  const { printed, codes } = await runPipe(produce, consume);
  t.deepEqual(printed, ["<f4", [3300, 5], true, [1000, 1000, 1000, 300]]);
  t.deepEqual(codes, [0, 0, 0]);
});

test.serial("with the number of rows declared, one array comes out", async (t) => {
  const produce = "np.save(Out, np.arange(6000.0).reshape(3000, 2)); np.save(Out, np.ones((1, 2)))";
  const consume = `
x, = arrays()
print(json.dumps([x.shape, x[[0, 2999, 3000]].tolist()]))
`;
  const { printed, codes } = await runPipe(produce, consume, "3001");
  t.deepEqual(printed, [
    [3001, 2],
    [
      [0, 2],
      [11_996, 11_998],
      [2, 2],
    ],
  ]);
  t.deepEqual(codes, [0, 0, 0]);
});

test.serial("a consumer that stops reading stops the producer, through the stage", async (t) => {
  t.timeout(120_000);
  const folder = await mkdtemp(join(tmpdir(), "npystream-pipes-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const progress = JSON.stringify(join(folder, "progress"));
  const produce = `
progress = open(${progress}, 'w')
for i in range(24):
    np.save(Out, np.full((1000, 250), i, 'f4'))
    print(i, file=progress, flush=True)
`;
  // A pause long enough for all to go through if nothing held it; on a slow machine less goes through, never more.
  const consume = `
import time
read = arrays()
first = next(read)
time.sleep(1.5)
written = len(open(${progress}).readlines())
print(json.dumps([written, [float(x[0, 0]) for x in read]]))
`;
  const { printed, codes } = await runPipe(produce, consume);
  const [written, rest] = printed as [number, number[]];
  t.true(written <= 12, `${written} of 24 arrays of 1 MB were written while the consumer had one`);
  t.deepEqual(
    rest,
    Array.from({ length: 23 }, (_, i) => 2 * (i + 1)),
  );
  t.deepEqual(codes, [0, 0, 0]);
});

test.serial("a producer that dies inside an array is ERR_NPY_TRUNCATED and a failed stage", async (t) => {
  const produce = `
import io
f = io.BytesIO(); np.save(f, np.zeros((5000, 3)))
Out.write(f.getvalue()[:-1]); sys.stdout.flush()
sys.exit(3)
`;
  const consume = "print(json.dumps([len(x) for x in arrays()]))";
  const { printed, told, codes } = await runPipe(produce, consume);
  t.deepEqual(told, { code: "ERR_NPY_TRUNCATED" });
  t.deepEqual(codes, [3, 1, 0]);
  // Each array that came out is whole; that they are not all is told by the exit code.
  t.true((printed as number[]).every((length) => length === 1000));
});

test.serial("a producer that writes nothing, or something else, fails the stage", async (t) => {
  const consume = "print(json.dumps(len(list(arrays()))))";
  const nothing = await runPipe("", consume);
  t.deepEqual([nothing.told.code, nothing.codes, nothing.printed], ["ERR_NPY_TRUNCATED", [0, 1, 0], 0]);
  const greeting = await runPipe("np.save(Out, np.zeros(3)); print('done')", consume);
  t.deepEqual([greeting.told.code, greeting.codes], ["ERR_NPY_MAGIC", [0, 1, 0]]);
});

test.serial("a consumer that leaves early ends the stage with an error, not a hang", async (t) => {
  const produce = `
try:
    for i in range(200): np.save(Out, np.zeros((1000, 250), 'f4'))
except BrokenPipeError:
    sys.stderr.close(); import os; os._exit(4)
`;
  const consume = "print(json.dumps(next(arrays()).shape))";
  const { printed, told, codes } = await runPipe(produce, consume);
  t.deepEqual(printed, [1000, 250]);
  t.deepEqual([told.code, codes], ["ERR_WRITE_IO", [4, 1, 0]]);
});
