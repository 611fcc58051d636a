import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { run } from "../src/run.ts";
import { runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-run-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const header = (dict: string): Buffer => {
  const text = Buffer.from(`${dict}\n`);
  return Buffer.concat([
    Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]),
    text,
  ]);
};
writeFileSync(
  at("huge.npy"),
  header("{'descr': '<f8', 'fortran_order': False, 'shape': (9007199254740991, 9007199254740991)}"),
);
writeFileSync(at("long.npy"), header("{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000,)}"));
writeFileSync(at("call.npy"), header("{'descr': '<f8', 'fortran_order': False, 'shape': __import__('os').getcwd()}"));
writeFileSync(at("magic.npy"), "not an array at all");
writeFileSync(at("none.npy"), "");
writeFileSync(at("version.npy"), Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 9, 0, 0, 0, 0, 0]));
writeFileSync(at("zip.npz"), "PK\x03\x04 and no directory");
execFileSync("python3", [
  "-c",
  `
import os, sys
import numpy as np
os.chdir(sys.argv[1])
os.mkfifo('pipe')
np.save('fine.npy', np.arange(10))
np.save('cut.npy', np.zeros((100, 10)))
np.save('object.npy', np.array([{}, []], object), allow_pickle=True)
np.savez('crc.npz', x=np.arange(10, dtype=np.uint8))
np.savez_compressed('deflate.npz', x=np.arange(1000))
`,
  folder,
]);
truncateSync(at("cut.npy"), 1000);
const crc = readFileSync(at("crc.npz"));
// The last data byte of the only member, before the directory.
const lastByte = crc.indexOf(Buffer.from([7, 8, 9])) + 2;
crc[lastByte] = 0xff;
writeFileSync(at("crc.npz"), crc);

const BAD: readonly (readonly [name: string, code: string])[] = [
  ["huge.npy", "ERR_NPY_SHAPE"],
  ["long.npy", "ERR_NPY_TRUNCATED"],
  ["call.npy", "ERR_NPY_HEADER"],
  ["magic.npy", "ERR_NPY_MAGIC"],
  ["none.npy", "ERR_NPY_TRUNCATED"],
  ["version.npy", "ERR_NPY_VERSION"],
  ["zip.npz", "ERR_NPZ_DIRECTORY"],
  ["cut.npy", "ERR_NPY_TRUNCATED"],
  ["object.npy", "ERR_NPY_OBJECT"],
  ["missing.npy", "ENOENT"],
  [".", "EISDIR"],
  ["fine.npy/x", "ENOTDIR"],
];

const saysCode = test.macro({
  title: (_, name: string, code: string) => `${name} is ${code}: one line, nothing on stdout, exit 1`,
  async exec(t: ExecutionContext, name: string, code: string) {
    for (const command of [["inspect"], ["inspect", "--json"], ["cat"], ["cat", "--json"], ["cat", "--csv"]]) {
      const result = await runCaptured([...command, at(name)]);
      t.is(result.code, 1);
      t.is(result.stdout, "");
      t.true(result.stderr.startsWith(`error ${code} ${at(name)}: `), result.stderr);
      t.is(result.stderr.indexOf("\n"), result.stderr.length - 1);
    }
  },
});
for (const [name, code] of BAD) test(saysCode, name, code);

test("a checksum that does not match is told once the member has been read, behind what was printed", async (t) => {
  const { code, stderr } = await runCaptured(["cat", at("crc.npz#x"), "--csv"]);
  t.is(code, 1);
  t.true(stderr.startsWith(`error ERR_NPZ_CRC ${at("crc.npz")}#x: `), stderr);
});

const WRONG: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [["frobnicate"], /^error: unknown command 'frobnicate'\n$/],
  [["inspct", "x"], /^error: unknown command 'inspct'\n\(Did you mean inspect\?\)\n$/],
  [["--nope"], /^error: unknown option '--nope'\n$/],
  [["inspect"], /^error: missing required argument 'FILE'\n$/],
  [["cat"], /^error: missing required argument 'FILE'\n$/],
  [["verify"], /^error: missing required argument 'FILE'\n$/],
  [["cat", "a.npy", "b.npy"], /^error: too many arguments for 'cat'\. Expected 1 argument but got 2\.\n$/],
  [["cat", "a.npy", "--jsn"], /^error: unknown option '--jsn'\n\(Did you mean --json\?\)\n$/],
  [["cat", "a.npy", "--json", "--csv"], /^error: option '--json' cannot be used with option '--csv'\n$/],
  [
    ["cat", "a.npy", "--ndjson", "--csv"],
    /^error: option '--(ndjson|csv)' cannot be used with option '--(ndjson|csv)'\n$/,
  ],
  [["cat", "a.npy", "--rows"], /^error: option '--rows <a:b>' argument missing\n$/],
  [
    ["cat", "a.npy", "--rows", "1:2:3"],
    /^error: option '--rows <a:b>' argument '1:2:3' is invalid\. Rows are a:b as in Python/,
  ],
  [[], /^Usage: npystream /],
];

const isWrongUse = test.macro({
  title: (_, args: readonly string[]) => `"npystream ${args.join(" ")}" is wrong use, exit 2`,
  async exec(t: ExecutionContext, args: readonly string[], message: RegExp) {
    const { code, stdout, stderr } = await runCaptured(args);
    t.deepEqual([code, stdout], [2, ""]);
    t.regex(stderr, message);
  },
});
for (const [args, message] of WRONG) test(isWrongUse, args, message);

test("help is on every command, with examples, and fits 80 columns", async (t) => {
  for (const args of [
    ["--help"],
    ["-h"],
    ["help"],
    ["inspect", "--help"],
    ["help", "inspect"],
    ["cat", "-h"],
    ["help", "cat"],
    ["verify", "--help"],
    ["help", "verify"],
  ]) {
    const { code, stdout, stderr } = await runCaptured(args);
    t.deepEqual([code, stderr], [0, ""]);
    t.regex(stdout, /^Usage: npystream/);
    t.regex(stdout, /Examples:\n {2}\$ npystream /);
    t.deepEqual(
      stdout.split("\n").filter((line) => line.length > 80),
      [],
    );
  }
});

test("the version is that of the manifest", async (t) => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  for (const flag of ["--version", "-V"])
    t.deepEqual(await runCaptured([flag]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

test("a file whose name begins with a dash follows two of them", async (t) => {
  const { code, stderr } = await runCaptured(["cat", "--", "-x.npy"]);
  t.deepEqual([code, stderr], [1, "error ENOENT -x.npy: no such file\n"]);
});

test("an output that fails is told, one whose reader went away is not", async (t) => {
  const outcome = async (code: string): Promise<{ exit: number; told: string }> => {
    let told = "";
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code, errno: -28 })),
    });
    const stderr = new Writable({
      write(chunk, _encoding, done) {
        told += String(chunk);
        done();
      },
    });
    return { exit: await run(["cat", at("fine.npy")], { stdin: Readable.from([]), stdout, stderr }), told };
  };
  t.deepEqual(await outcome("EPIPE"), { exit: 0, told: "" });
  t.deepEqual(await outcome("ENOSPC"), { exit: 1, told: "error ENOSPC stdout: no space left on device\n" });
});

test("stdin that fails is told as any file", async (t) => {
  const stdin = new Readable({
    read() {
      this.destroy(Object.assign(new Error("EIO"), { code: "EIO", errno: -5 }));
    },
  });
  let told = "";
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      told += String(chunk);
      done();
    },
  });
  const stdout = new Writable({ write: (_chunk, _encoding, done) => done() });
  t.is(await run(["inspect", "-"], { stdin, stdout, stderr }), 1);
  t.is(told, "error EIO -: i/o error\n");
});

test("a pipe named by a path is read as stdin is", async (t) => {
  const printed = runCaptured(["cat", at("pipe"), "--csv"]);
  // A process of its own, which waits for the reader before it writes.
  const written = promisify(execFile)("bash", ["-c", 'cat "$0" > "$1"', at("fine.npy"), at("pipe")]);
  t.deepEqual(await printed, { code: 0, stdout: "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", stderr: "" });
  await written;
});
