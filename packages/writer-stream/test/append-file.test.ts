import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { decodeNpy, NdArray } from "@npystream/codec";
import test from "ava";
import { AppendFile } from "../src/append-file.ts";
import type { OpenFile } from "../src/durable-file.ts";
import { createNpyWriteStream } from "../src/npy-write-stream.ts";
import { openFiles } from "./open-files.ts";

interface Case {
  readonly name: string;
  readonly begun: string;
  readonly whole: string;
  readonly old: number;
  readonly rewritten: boolean;
}

const folder = mkdtempSync(join(tmpdir(), "npystream-append-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const script = join(import.meta.dirname, "append-files.py");
const cases: readonly Case[] = JSON.parse(execFileSync("python3", [script, folder], { encoding: "utf8" }));
const grown: string[] = [];
let folders = 0;
const newFolder = (): string => {
  const path = join(folder, `${folders++}`);
  mkdirSync(path);
  return path;
};
const begun = (name: string): string => {
  const path = join(newFolder(), "x.npy");
  copyFileSync(join(folder, `${name}.npy`), path);
  return path;
};

test("rows appended to a file of NumPy's give the file that np.save makes of the whole", async (t) => {
  const own = cases.filter(({ rewritten }) => !rewritten);
  t.true(own.length > 30);
  for (const { name, begun: path, whole, old } of own) {
    const expected = readFileSync(whole);
    const rows = decodeNpy(expected);
    for (const step of [1, 4, rows.length]) {
      const target = begunCopy(path);
      const out = createNpyWriteStream(target, { mode: "append" });
      for (let row = old; row < rows.length; row += step) await out.push(rows.slice({ start: row, stop: row + step }));
      const result = await out.finish();
      t.true(expected.equals(readFileSync(target)), `${name} by ${step}`);
      t.deepEqual([...result.shape], [...rows.shape], name);
      t.is(result.byteLength, expected.length);
      t.is(result.path, target);
      t.deepEqual(readdirSync(join(target, "..")), ["x.npy"]);
    }
  }
});

test("in the header of another program only the number of rows changes, and np.load reads it", async (t) => {
  for (const { name, begun: path, whole, old } of cases.filter((one) => one.rewritten && one.name !== "tight")) {
    const rows = decodeNpy(readFileSync(whole));
    const target = begunCopy(path);
    const before = readFileSync(target);
    const out = createNpyWriteStream(target, { mode: "append" });
    await out.push(rows.slice({ start: old }));
    await out.finish();
    const after = readFileSync(target);
    const header = before.length - old * 12;
    t.is(after.length, before.length + 3 * 12, name);
    const squeezed = (bytes: Buffer): string => bytes.toString("latin1", 10, header).replaceAll(/\s+/g, "");
    t.is(squeezed(after), squeezed(before).replace(/\(9L?/, "(12"), name);
    grown.push(target, whole);
  }
  const program =
    "import sys, numpy as np\np = sys.argv[1:]\nprint(all((np.load(a) == np.load(b)).all() for a, b in zip(p[::2], p[1::2])))";
  t.is(execFileSync("python3", ["-W", "ignore", "-c", program, ...grown], { encoding: "utf8" }).trim(), "True");
});

function begunCopy(path: string): string {
  const target = join(newFolder(), "x.npy");
  copyFileSync(path, target);
  return target;
}

test("a header without room is ERR_WRITE_APPEND as soon as the digits no longer fit, and the file is as it was", async (t) => {
  const target = begun("tight");
  const before = readFileSync(target);
  const out = createNpyWriteStream(target, { mode: "append" });
  await t.throwsAsync(out.push([1, 2, 3]), { code: "ERR_WRITE_APPEND", message: /9 rows at most.*np\.save/ });
  t.deepEqual(readFileSync(target), before);
  const roomy = createNpyWriteStream(begun("one-space"), { mode: "append" });
  await roomy.push(new Float32Array(90 * 3));
  await t.throwsAsync(roomy.push([1, 2, 3]), { code: "ERR_WRITE_APPEND", message: /99 rows at most/ });
});

test("Fortran order, a single value, a sequence, another format and a cut file cannot be appended to", async (t) => {
  const refused = async (path: string, code: string, message: RegExp): Promise<void> => {
    const before = readFileSync(path);
    const out = createNpyWriteStream(path, { mode: "append" });
    const error = await t.throwsAsync(out.push([1]), { code, message });
    t.like(error, { path });
    await t.throwsAsync(out.finish(), { is: error });
    t.deepEqual(readFileSync(path), before);
    t.deepEqual(readdirSync(join(path, "..")), ["x.npy"]);
    t.deepEqual(openFiles(join(path, "..")), []);
  };
  await refused(begun("fortran"), "ERR_WRITE_APPEND", /Fortran order.*ascontiguousarray/);
  await refused(begun("single"), "ERR_WRITE_APPEND", /no rows/);
  await refused(begun("sequence"), "ERR_WRITE_APPEND", /another array follows/);
  const cut = begun("tens");
  truncateSync(cut, statSync(cut).size - 1);
  await refused(cut, "ERR_NPY_TRUNCATED", /declares/);
  const other = begun("tens");
  writeFileSync(other, "PK\x03\x04 an archive of some kind");
  await refused(other, "ERR_NPY_MAGIC", /ZIP/);
  writeFileSync(other, "");
  await refused(other, "ERR_NPY_TRUNCATED", /empty/);
});

test("dtype, row shape and chunks that differ from the file are refused, and it is as it was", async (t) => {
  const refused = async (code: string, options: object, chunk: unknown): Promise<void> => {
    const path = begun("tens");
    const before = readFileSync(path);
    const out = createNpyWriteStream(path, { mode: "append", ...options });
    await out.push([[7, 7]]).catch(() => undefined);
    await t.throwsAsync(out.push(chunk as number[]), { code });
    t.deepEqual(readFileSync(path), before);
    t.deepEqual(openFiles(join(path, "..")), []);
  };
  await refused("ERR_WRITE_DTYPE", { dtype: "float32" }, [1, 2]);
  await refused("ERR_WRITE_SHAPE", { rowShape: [3] }, [1, 2]);
  await refused("ERR_WRITE_DTYPE", {}, Float32Array.of(1, 2));
  await refused("ERR_WRITE_SHAPE", {}, [1, 2, 3]);
  await refused("ERR_WRITE_SHAPE", { rows: 1 }, [1, 2]);
  const out = createNpyWriteStream(begun("tens"), { mode: "append", dtype: ">f8", rowShape: [2], rows: 1 });
  await out.push([1, 2]);
  t.deepEqual([...(await out.finish()).shape], [10, 2]);
});

test("bfloat16 goes on in a file of two-byte voids where it is asked for", async (t) => {
  const path = join(newFolder(), "x.npy");
  const first = createNpyWriteStream(path, { dtype: "bfloat16", rowShape: [] });
  await first.push([1, 2]);
  await first.finish();
  const out = createNpyWriteStream(path, { mode: "append", dtype: "bfloat16" });
  await out.push([3]);
  await out.finish();
  t.deepEqual(decodeNpy(readFileSync(path)).view("bfloat16").toNested(), [1, 2, 3]);
});

test("a file that is not there is created, atomically", async (t) => {
  const place = newFolder();
  const path = join(place, "x.npy");
  for (let length = 1; length <= 3; length++) {
    const out = createNpyWriteStream(path, { mode: "append" });
    await out.push(Int16Array.of(length));
    t.is(existsSync(path), length > 1);
    t.deepEqual([...(await out.finish()).shape], [length]);
    t.deepEqual(readdirSync(place), ["x.npy"]);
  }
  t.deepEqual([...(decodeNpy(readFileSync(path)).data as Int16Array)], [1, 2, 3]);
});

test("what an append that was cut short has left behind the rows is written over or cut off", async (t) => {
  for (const waste of [5, 16, 1000]) {
    const path = begun("tens");
    appendFileSync(path, Buffer.alloc(waste, 0xee));
    const out = createNpyWriteStream(path, { mode: "append" });
    await out.push([1, 2]);
    await out.finish();
    t.deepEqual([...decodeNpy(readFileSync(path), { strict: true }).shape], [10, 2]);
  }
  const path = begun("tens");
  appendFileSync(path, "not an array");
  const before = readFileSync(path);
  await createNpyWriteStream(path, { mode: "append" }).finish();
  t.deepEqual(readFileSync(path), before, "nothing is added, and nothing changes");
});

test("an abort, an error upstream and await using leave the old rows and nothing else", async (t) => {
  const path = begun("tens");
  const before = readFileSync(path);
  const asBefore = (): void => {
    t.deepEqual(readFileSync(path), before);
    t.deepEqual(readdirSync(join(path, "..")), ["x.npy"]);
    t.deepEqual(openFiles(join(path, "..")), []);
  };
  const rows = new Float64Array(2 << 18);
  const controller = new AbortController();
  const aborted = createNpyWriteStream(path, { mode: "append", signal: controller.signal });
  await aborted.push(rows);
  t.true(statSync(path).size > rows.byteLength);
  controller.abort("enough");
  t.is(await aborted.finish().catch((error: unknown) => error), "enough");
  asBefore();
  const failure = new Error("upstream");
  const source = async function* (): AsyncGenerator<Float64Array> {
    yield rows;
    throw failure;
  };
  const piped = createNpyWriteStream(path, { mode: "append" });
  await t.throwsAsync(pipeline(source, piped), { is: failure });
  if (!piped.closed) await new Promise((resolve) => piped.once("close", resolve));
  asBefore();
  {
    await using dropped = createNpyWriteStream(path, { mode: "append" });
    await dropped.push(rows);
  }
  asBefore();
  // While a write is under way.
  const destroyed = createNpyWriteStream(path, { mode: "append" });
  const pushed = destroyed.push(rows);
  setImmediate(() => destroyed.destroy());
  await pushed.catch(() => undefined);
  await t.throwsAsync(destroyed.finish(), { name: "AbortError" });
  asBefore();
});

test("a link is followed, a file that was replaced meanwhile is told and not touched, one that grew is told and not cut", async (t) => {
  const path = begun("tens");
  const link = join(path, "../link.npy");
  symlinkSync("x.npy", link);
  const linked = createNpyWriteStream(link, { mode: "append" });
  await linked.push([1, 2]);
  await t.throwsAsync(createNpyWriteStream(path, { mode: "append" }).push([1, 2]), { code: "ERR_WRITE_LOCKED" });
  await linked.finish();
  t.is(decodeNpy(readFileSync(path)).length, 10);

  const replaced = createNpyWriteStream(path, { mode: "append" });
  await replaced.push([1, 2]);
  const other = readFileSync(join(folder, "one-axis.npy"));
  writeFileSync(`${path}.new`, other);
  renameSync(`${path}.new`, path);
  await t.throwsAsync(replaced.finish(), { code: "ERR_WRITE_IO", message: /replaced/ });
  t.deepEqual(readFileSync(path), other);

  const changed = begun("tens");
  const late = createNpyWriteStream(changed, { mode: "append" });
  await late.push([1, 2]);
  const whole = readFileSync(join(folder, "tens-whole.npy"));
  writeFileSync(changed, whole);
  await t.throwsAsync(late.finish(), { code: "ERR_WRITE_IO", message: /changed/ });
  t.is(statSync(changed).size, whole.length);
  t.deepEqual(readFileSync(changed).subarray(0, 128), whole.subarray(0, 128));
});

test("a folder, a missing folder and a path of a NUL are refused as a new file's would be", async (t) => {
  const place = newFolder();
  const append = (path: string): Promise<void> => createNpyWriteStream(path, { mode: "append" }).push([1]);
  await t.throwsAsync(append(place), { code: "ERR_WRITE_IO" });
  await t.throwsAsync(append(join(place, "absent/x.npy")), { code: "ERR_WRITE_IO" });
  await t.throwsAsync(append("a\0b"), { instanceOf: TypeError });
  const process = join(import.meta.dirname, "append-process.ts");
  const locked = begun("tens");
  // A user who may not write there; root may everywhere, so the process becomes nobody.
  const program = ["--conditions=@npystream/source", "--import=tsx", process, "try", locked];
  t.regex(execFileSync(globalThis.process.execPath, program, { encoding: "utf8" }), /^ERR_WRITE_IO EACCES/);
  t.deepEqual(readdirSync(join(locked, "..")), ["x.npy"]);
});

test("options that do not go with append are a TypeError", (t) => {
  const sink = {
    seekable: true,
    write: async () => undefined,
    commit: async () => undefined,
    abort: async () => undefined,
  };
  const bad = [{ mode: "add" }, { mode: "append", overwrite: true }, { mode: "append", framing: "sequence" }];
  for (const options of bad) {
    t.throws(() => createNpyWriteStream("x.npy", options as object), { instanceOf: TypeError });
  }
  t.throws(() => createNpyWriteStream(sink, { mode: "append" }), { instanceOf: TypeError });
});

/** Writes down what is done to a file, and fails where it is told to. */
function recorded(handle: OpenFile, calls: string[], fails: (call: string) => boolean = () => false): OpenFile {
  const names = ["write", "sync", "datasync", "truncate", "close"];
  return new Proxy(handle, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const call = name === "write" ? `write at ${args[3]}` : String(name);
        if (names.includes(String(name))) calls.push(call);
        const failure = fails(call) ? Object.assign(new Error("no"), { code: "EIO" }) : undefined;
        // A file that could not be closed is closed all the same.
        if (failure !== undefined && name !== "close") throw failure;
        const result = await value.apply(target, args);
        if (failure !== undefined) throw failure;
        return result;
      };
    },
  });
}

async function openRecorded(
  path: string,
  calls: string[],
  fails?: (call: string) => boolean,
): Promise<{ file: AppendFile; isReleased: () => boolean }> {
  let released = false;
  const lock = {
    release: async () => {
      released = true;
    },
  };
  const handle = recorded(await open(path, "r+"), calls, fails);
  return { file: await AppendFile.open({ handle, path, lock }), isReleased: () => released };
}

test("data are written and flushed before the header is, and that is flushed before the end", async (t) => {
  const path = begun("tens");
  const calls: string[] = [];
  const { file, isReleased } = await openRecorded(path, calls);
  await file.write(new Uint8Array(16));
  await file.write(new Uint8Array(16));
  file.grow(11);
  t.false(isReleased());
  await file.commit();
  t.true(isReleased());
  const [first, second, sync, header = "", ...rest] = calls;
  t.deepEqual([first, second, sync, ...rest], ["write at 272", "write at 288", "sync", "sync", "close"]);
  const position = Number(header.replace("write at ", ""));
  t.true(position > 10 && position < 128, header);
  t.throws(() => void file.write(new Uint8Array(1), 0), { instanceOf: TypeError });
});

/** Says yes to the calls of a kind whose number, from 1, is among `numbers`. */
function fails(kind: RegExp, ...numbers: readonly number[]): (call: string) => boolean {
  let count = 0;
  return (call) => kind.test(call) && numbers.includes(++count);
}

const HEADER_WRITE = /^write at \d\d$/;

test("where a flush or the header's write fails, the old header and length are back", async (t) => {
  const before = readFileSync(join(folder, "tens.npy"));
  for (const [fault, undone] of [
    [fails(/^sync$/, 1), ["truncate", "close"]],
    [fails(/^sync$/, 2), ["write", "sync", "truncate", "close"]],
    [fails(HEADER_WRITE, 1), ["write", "sync", "truncate", "close"]],
  ] as const) {
    const path = begun("tens");
    const calls: string[] = [];
    const { file, isReleased } = await openRecorded(path, calls, fault);
    await file.write(new Uint8Array(32));
    file.grow(11);
    const error = await t.throwsAsync(file.commit(), { code: "ERR_WRITE_IO" });
    t.like(error, { path, cause: { code: "EIO" } });
    t.true(isReleased());
    t.deepEqual(readFileSync(path), before);
    t.deepEqual(
      calls.slice(-undone.length).map((call) => call.replace(/ .*/, "")),
      undone,
    );
  }
});

test("a file whose old header cannot be flushed is not cut below what the new one may say", async (t) => {
  const path = begun("tens");
  const before = readFileSync(path);
  const { file, isReleased } = await openRecorded(path, [], fails(/^sync$/, 2, 3));
  await file.write(new Uint8Array(32));
  file.grow(11);
  await t.throwsAsync(file.commit(), { code: "ERR_WRITE_IO" });
  t.true(isReleased());
  t.deepEqual(readFileSync(path), Buffer.concat([before, new Uint8Array(32)]));
});

test("a file that cannot be closed gives its lock back all the same", async (t) => {
  for (const end of ["commit", "abort"] as const) {
    const { file, isReleased } = await openRecorded(begun("tens"), [], fails(/^close$/, 1, 2));
    await file.write(new Uint8Array(16));
    file.grow(10);
    await t.throwsAsync(file[end]());
    t.true(isReleased(), end);
  }
});

test("nothing pushed is nothing written", async (t) => {
  const path = begun("tens");
  const calls: string[] = [];
  const { file } = await openRecorded(path, calls);
  file.grow(9);
  await file.commit();
  t.deepEqual(calls, ["close"]);
});

test("NdArrays of any layout are appended in C order", async (t) => {
  const path = join(newFolder(), "x.npy");
  const matrix = NdArray.from(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]);
  for (const rows of [matrix, matrix.transpose().slice({ start: 0, stop: 2 }, { start: 0, stop: 2 })]) {
    const out = createNpyWriteStream(path, { mode: "append" });
    await out.push(rows);
    await out.finish();
  }
  t.deepEqual([...(decodeNpy(readFileSync(path)).data as Float32Array)], [1, 2, 3, 4, 5, 6, 1, 3, 2, 4]);
});
