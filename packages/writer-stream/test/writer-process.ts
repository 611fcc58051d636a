/**
 * A process that writes, for tests that need one of their own.
 *
 *     writer-process.ts grow PATH           writes until something fails, by push and by writeNpy, and prints code and cause
 *     writer-process.ts denied FOLDER       tries every way of writing into FOLDER, as user 65534, and prints code and cause of each
 *     writer-process.ts unheard FOLDER      uses streams that cannot be opened as a `Writable` that nobody listens to, and
 *                                           prints what each throws
 *     writer-process.ts forever PATH...     replaces every PATH again and again, each time by rows that all hold one number
 *     writer-process.ts archives PATH       replaces PATH again and again by an archive that all holds one number, every
 *                                           other time by adding members to it
 *     writer-process.ts archive PATH MIB COMPRESS
 *                                           writes two members of MIB MiB at once, and prints its peak memory in bytes
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable, type Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { isNpyError } from "@npystream/codec";
import {
  createNpyWriteStream,
  createNpzWriter,
  createShardWriter,
  type NpzWriter,
  writeNpy,
  writeNpz,
} from "@npystream/writer-stream";

const [mode, ...paths] = process.argv.slice(2);

if (mode === "grow") {
  const [path = ""] = paths;
  await report(async () => {
    const out = createNpyWriteStream(path, { overwrite: true });
    for (const row = new Float64Array(64); ; ) await out.push(row);
  });
  await report(() => writeNpy(path, new Float64Array(8 << 20), { overwrite: true }));
} else if (mode === "denied") {
  await tryEverything(paths[0] ?? "");
} else if (mode === "unheard") {
  await useUnheard(paths[0] ?? "");
} else if (mode === "archives") {
  await replaceArchiveForever(paths[0] ?? "");
} else if (mode === "archive") {
  const [path = "", mebibytes = "", compress = ""] = paths;
  const archive = createNpzWriter(path, { overwrite: true, compress: compress === "true", level: 1 });
  await writeMembers(archive, ["a", "b"], 1, Number(mebibytes));
  await archive.finish();
  const status = readFileSync("/proc/self/status", "utf8");
  console.log(1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]));
} else {
  await Promise.all(paths.map(replaceForever));
}

async function tryEverything(folder: string): Promise<void> {
  // Root may write everywhere.
  if (process.getuid?.() === 0) process.setuid?.(65534);
  const at = (name: string): string => join(folder, name);
  for (const mode of ["create", "append"] as const) {
    await report(async () => await createNpyWriteStream(at("x.npy"), { mode }).push([1]));
    await report(async () => {
      const archive = createNpzWriter(at("x.npz"), { mode });
      await archive.write("x", [1]);
      await archive.finish();
    });
  }
  for (const name of ["old.npy", "old.npz"]) {
    const write = name === "old.npy" ? writeNpy : (path: string) => writeNpz(path, { x: [1] }, { overwrite: true });
    await report(async () => await write(at(name), [1], { overwrite: true }));
  }
  await report(async () => await createShardWriter(at("y-{shard:02}.npy"), { maxRows: 1 }).push([1, 2, 3]));
}

/** FOLDER has x.npy, which somebody appends to, and y-00.npy. */
async function useUnheard(folder: string): Promise<void> {
  const at = (name: string): string => join(folder, name);
  const targets: Readonly<Record<string, () => Writable>> = {
    exists: () => createNpyWriteStream(at("x.npy")),
    locked: () => createNpyWriteStream(at("x.npy"), { mode: "append" }),
    missing: () => createNpyWriteStream(at("absent/z.npy")),
    folder: () => createNpyWriteStream(folder, { overwrite: true }),
    shards: () => createShardWriter(at("y-{shard:02}.npy"), { maxRows: 1 }),
  };
  const uses: Readonly<Record<string, (out: Writable) => void>> = {
    write: (out) => void out.write([1]),
    end: (out) => void out.end([1]),
    pipe: (out) => void Readable.from([[1]]).pipe(out),
  };
  for (const [target, create] of Object.entries(targets)) {
    for (const [use, act] of Object.entries(uses)) {
      for (const moment of ["at once", "late"]) {
        const out = create();
        if (moment === "late" && !out.closed) await new Promise((resolve) => out.once("close", resolve));
        const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
        act(out);
        const error = await Promise.race([thrown, sleep(2000)]);
        console.log(`${target}, ${use} ${moment}: ${isNpyError(error) ? error.code : error}`);
      }
    }
  }
}

/** Two members at once, a mebibyte a chunk. */
async function writeMembers(
  archive: NpzWriter,
  names: readonly string[],
  value: number,
  mebibytes: number,
): Promise<void> {
  const chunk = new Int32Array(1 << 18).fill(value);
  await Promise.all(
    names.map(async (name) => {
      const member = archive.member(name, { rowShape: [256] });
      for (let i = 0; i < mebibytes; i++) await member.push(chunk);
      await member.finish();
    }),
  );
}

async function replaceArchiveForever(path: string): Promise<void> {
  for (let generation = 1; ; generation++) {
    const isAdded = generation % 2 === 0;
    const mode = isAdded ? ({ mode: "append" } as const) : ({ overwrite: true } as const);
    const archive = createNpzWriter(path, { ...mode, compress: generation % 4 < 2, level: 1 });
    // What is added holds the number of what is there.
    const value = isAdded ? generation - 1 : generation;
    const names = isAdded ? ["c", "d"] : ["a", "b"];
    await writeMembers(archive, names, value, 1 + (generation % 3));
    await archive.write(`${names.join("")}-small`, Int32Array.of(value));
    await archive.finish();
    if (generation === 1) process.stdout.write("r");
  }
}

async function replaceForever(target: string, lane: number): Promise<void> {
  for (let generation = 1; ; generation++) {
    const out = createNpyWriteStream(target, { dtype: "int32", rowShape: [256], overwrite: true });
    const rows = 1 + (((generation + lane) * 997) % 3000);
    const row = new Int32Array(256).fill(generation);
    for (let i = 0; i < rows; i++) await out.push(row);
    await out.finish();
    if (generation === 1) process.stdout.write("r");
  }
}

async function report(write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const cause = isNpyError(error) ? error.cause : undefined;
    const errno = cause instanceof Error && "code" in cause ? cause.code : cause;
    console.log(`${isNpyError(error) ? error.code : error} ${errno}`);
  }
}
