import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeNpy } from "@npystream/codec";
import { fileSink, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-crash-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** More by hand: NPYSTREAM_CRASH_ROUNDS=300. */
const KILLS = Number(process.env["NPYSTREAM_CRASH_ROUNDS"] ?? 12);
const AT_ONCE = 3;
/** Files that one process replaces at the same time, each somewhere else in it when it is killed. */
const names = ["a.npy", "b.npy", "c.npy"];
const script = join(import.meta.dirname, "writer-process.ts");

/** Starts a process that replaces the files again and again, and waits until one is there; others may not be yet. */
async function startWriter(...paths: readonly string[]): Promise<ChildProcess> {
  const nodeArguments = ["--conditions=@npystream/source", "--import=tsx"];
  const stdio = ["ignore", "pipe", "inherit"] as const;
  const writer = spawn(process.execPath, [...nodeArguments, script, "forever", ...paths], { stdio: [...stdio] });
  await once(writer.stdout, "data");
  return writer;
}

async function kill(writer: ChildProcess): Promise<void> {
  writer.kill("SIGKILL");
  await once(writer, "exit");
}

test("a writer killed at any moment leaves whole files, and the next writer of each name tidies up", async (t) => {
  t.timeout(60_000 + KILLS * 5000);
  let [partials, absent, whole] = [0, 0, 0];
  const round = async (number: number): Promise<void> => {
    const place = join(folder, "killed", `${number}`);
    mkdirSync(place, { recursive: true });
    const writer = await startWriter(...names.map((name) => join(place, name)));
    await sleep(Math.random() * 60);
    await kill(writer);
    const left = readdirSync(place);
    partials += left.filter((name) => name.endsWith(".partial")).length;
    const present = names.filter((name) => left.includes(name));
    absent += names.length - present.length;
    whole += present.length;
    for (const name of names) {
      const path = join(place, name);
      await (await fileSink(path, { overwrite: true })).abort();
      if (!present.includes(name)) continue;
      const values = decodeNpy(readFileSync(path), { strict: true }).data as Int32Array;
      t.true(values.length > 0 && values.every((value) => value === values[0]), path);
    }
    t.deepEqual(readdirSync(place), present);
  };
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < KILLS; number += AT_ONCE) await round(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)));
  t.true(partials > 0);
  t.log(`${KILLS} kills: ${whole} files whole, ${absent} absent, ${partials} partials found and removed`);
  const program =
    "import sys, glob, numpy as np\nprint(all((a == a.flat[0]).all() and a.shape[1] == 256 for a in map(np.load, glob.glob(sys.argv[1] + '/*/*.npy'))))";
  t.is(python(program, join(folder, "killed")).trim(), "True");
});

test("the partial of a writer that is alive stays when another writes the name", async (t) => {
  const place = join(folder, "alive");
  mkdirSync(place);
  const path = join(place, "x.npy");
  const mine = await fileSink(path, { overwrite: true });
  await mine.write(Uint8Array.of(1));
  const writer = await startWriter(path);
  await writeNpy(path, [1], { overwrite: true });
  t.true(readdirSync(place).some((name) => name.includes(`-${process.pid}-`)));
  await kill(writer);
  await mine.commit();
  t.deepEqual(readFileSync(path), Buffer.of(1));
});
