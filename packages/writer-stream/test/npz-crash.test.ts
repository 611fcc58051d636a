import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeNpz } from "@npystream/codec";
import { createNpzWriter } from "@npystream/writer-stream";
import test from "ava";
import { python } from "./numpy-references.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-npz-crash-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** More by hand: NPYSTREAM_CRASH_ROUNDS=300. */
const KILLS = Number(process.env["NPYSTREAM_CRASH_ROUNDS"] ?? 9);
const AT_ONCE = 3;

/** Starts a process that replaces an archive again and again, and waits until the first is there, or just until it runs. */
async function startWriter(path: string, waits: boolean): Promise<ChildProcess> {
  const script = join(import.meta.dirname, "writer-process.ts");
  const nodeArguments = ["--conditions=@npystream/source", "--import=tsx", script, "archives", path];
  const writer = spawn(process.execPath, nodeArguments, { stdio: ["ignore", "pipe", "inherit"] });
  if (!waits) return writer;
  const [code] = await Promise.race([once(writer.stdout, "data"), once(writer, "exit")]);
  if (typeof code === "number") throw new Error(`the writer ended with ${code}`);
  return writer;
}

/** Resolves as soon as something is being written. */
async function firstPartial(place: string): Promise<void> {
  for (let turn = 0; turn < 5000 && !readdirSync(place).some((name) => name.endsWith(".partial")); turn++)
    await sleep(2);
}

test("a writer of archives killed at any moment leaves a whole one, and the next one tidies up", async (t) => {
  t.timeout(60_000 + KILLS * 10_000);
  let partials = 0;
  let appended = 0;
  let absent = 0;
  const round = async (number: number): Promise<void> => {
    const place = join(folder, `${number}`);
    const path = join(place, "set.npz");
    mkdirSync(place);
    const isFirst = number % 3 === 2;
    const writer = await startWriter(path, !isFirst);
    if (isFirst) await firstPartial(place);
    else await sleep(Math.random() * 1200);
    writer.kill("SIGKILL");
    await once(writer, "exit");
    if (isFirst && !existsSync(path)) absent++;
    else checkArchive(path);
    partials += readdirSync(place).filter((name) => name.endsWith(".partial")).length;
    // The lock of the dead one is in nobody's way.
    const next = createNpzWriter(path, { mode: "append" });
    await next.write("next", [1]);
    await next.finish();
    t.deepEqual(readdirSync(place), ["set.npz"]);
  };
  const checkArchive = (path: string): void => {
    const arrays = decodeNpz(readFileSync(path));
    const names = Object.keys(arrays).sort().join(" ");
    t.true(["a ab-small b", "a ab-small b c cd-small d"].includes(names), names);
    if (names.includes("c")) appended++;
    const [value] = arrays["ab-small"]?.data ?? [];
    for (const { data } of Object.values(arrays)) t.true((data as Int32Array).every((found) => found === value));
  };
  const lane = async (first: number): Promise<void> => {
    for (let number = first; number < KILLS; number += AT_ONCE) await round(number);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, (_, first) => lane(first)));
  t.log(
    `${KILLS} kills, ${absent} before there was one, ${partials} partials found, ${appended} archives with added members`,
  );
  const program = `
import sys, glob, zipfile, numpy as np
for path in glob.glob(sys.argv[1] + '/*/set.npz'):
    assert zipfile.ZipFile(path).testzip() is None
    z = np.load(path)
    assert all((z[name] == z['ab-small'][0]).all() for name in z.files if name != 'next'), path
print('ok')`;
  t.is(python(program, folder).trim(), "ok");
});
