import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeNpz, NdArray } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-verify-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const local = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const broken: readonly (readonly [name: string, code: string, member: string | null])[] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", local("write-broken.py"), folder], { encoding: "utf8" }),
);

const isBad = test.macro({
  title: (_, name: string, code: string) => `${name} is bad with ${code}`,
  async exec(t: ExecutionContext, name: string, code: string, member: string | null) {
    const path = at(name);
    const text = await runCaptured(["verify", path]);
    const place = member === null ? path : `${path}#${member}`;
    t.deepEqual([text.code, text.stderr], [1, ""]);
    t.true(text.stdout.startsWith(`bad ${code} ${place}: `), text.stdout);
    t.is(text.stdout.indexOf("\n"), text.stdout.length - 1);
    const json = await runCaptured(["verify", "--json", path]);
    t.deepEqual([json.code, json.stderr], [1, ""]);
    const message = text.stdout.slice(`bad ${code} ${place}: `.length, -1);
    const where = member === null ? {} : { member };
    t.is(json.stdout, `${JSON.stringify({ path, ok: false, code, message, ...where })}\n`);
  },
});
for (const [name, code, member] of broken) test(isBad, name, code, member);
test(isBad, "missing.npy", "ENOENT", null);
test(isBad, ".", "EISDIR", null);
test(isBad, "three.npz/x", "ENOTDIR", null);

test("every valid file that NumPy writes is ok", async (t) => {
  t.timeout(60_000);
  const fixtures = at("fixtures");
  execFileSync("python3", [local("../../../test/fixtures/generate.py"), fixtures]);
  const paths = readdirSync(join(fixtures, "valid")).map((name) => join(fixtures, "valid", name));
  t.true(paths.length > 900);
  const { code, stdout, stderr } = await runCaptured(["verify", "--strict", "--json", ...paths]);
  t.deepEqual([code, stderr], [0, ""]);
  t.is(stdout, paths.map((path) => `${JSON.stringify({ path, ok: true })}\n`).join(""));
});

test("a line says what a file holds", async (t) => {
  const names = ["three.npz", "three-deflated.npz", "streamed.npz", "fortran.npz", "notes.npz", "three.npz#labels"];
  const { code, stdout } = await runCaptured([
    "verify",
    ...names.map(at),
    at("notes.npz#notes.txt"),
    at("fortran.npz#x.npy"),
  ]);
  t.is(code, 0);
  t.deepEqual(stdout.replaceAll(`${folder}/`, "").split("\n"), [
    "ok three.npz 3 arrays",
    "ok three-deflated.npz 3 arrays",
    "ok streamed.npz 3 arrays",
    "ok fortran.npz 1 array",
    "ok notes.npz 2 arrays, 1 other member",
    "ok three.npz#labels int64 (50,)",
    "ok notes.npz#notes.txt 8 bytes",
    "ok fortran.npz#x.npy float64 (700, 900)",
    "",
  ]);
});

test("what npystream encodes is ok, blocks with their table included", async (t) => {
  const x = NdArray.from(Float64Array.from({ length: 400_000 }, (_, i) => i % 977));
  for (const compress of [false, true]) {
    const stdin = encodeNpz({ x, 日本: NdArray.zeros("uint8", [3]) }, { compress });
    t.deepEqual(await runCaptured(["verify", "-"], { stdin }), { code: 0, stdout: "ok - 2 arrays\n", stderr: "" });
  }
});

test("a flipped byte names its member, and the other members get their turn", async (t) => {
  const one = await runCaptured(["verify", at("flipped.npz")]);
  const message = "the member's checksum does not match its bytes";
  t.deepEqual(one, { code: 1, stdout: `bad ERR_NPZ_CRC ${at("flipped.npz")}#labels: ${message}\n`, stderr: "" });
  const two = await runCaptured(["verify", "--json", at("flipped-twice.npz")]);
  t.deepEqual(
    two.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).member),
    ["labels", "weights"],
  );
});

test("only the member that is named counts", async (t) => {
  const { code, stdout } = await runCaptured(["verify", at("flipped.npz#features"), at("flipped.npz#labels")]);
  t.is(code, 1);
  t.regex(stdout, /^ok .*#features float64 \(50, 4\)\nbad ERR_NPZ_CRC .*#labels: .*\n$/);
});

test("a member that is not there is bad", async (t) => {
  const { code, stdout } = await runCaptured(["verify", at("three.npz#nope"), at("trailing.npy#x")]);
  t.is(code, 1);
  t.deepEqual(stdout.replaceAll(`${folder}/`, "").split("\n"), [
    'bad ERR_NPZ_MEMBER three.npz#nope: the archive has no such array; it has "features", "labels", "weights"',
    "bad ERR_NPZ_MEMBER trailing.npy#x: the file is a .npy, a single array without members",
    "",
  ]);
});

test("bytes behind an array are counted, and bad only where asked", async (t) => {
  const path = at("trailing.npy");
  const lax = await runCaptured(["verify", path]);
  t.deepEqual(lax, { code: 0, stdout: `ok ${path} float64 (100,), 932 bytes behind it\n`, stderr: "" });
  const json = await runCaptured(["verify", "--json", path]);
  t.deepEqual(JSON.parse(json.stdout), { path, ok: true, trailingBytes: 932 });
  const strict = await runCaptured(["verify", "--strict", path]);
  t.deepEqual(strict, { code: 1, stdout: `bad ERR_NPY_TRAILING ${path}: 932 bytes follow the array\n`, stderr: "" });
});

test("stdin and files get their turn in order, also behind a bad one", async (t) => {
  const stdin = readFileSync(at("flipped.npz"));
  const { code, stdout } = await runCaptured(["verify", "-#features", at("magic.npy"), at("three.npz")], { stdin });
  t.is(code, 1);
  t.deepEqual(
    stdout.split("\n").map((line) => line.replaceAll(`${folder}/`, "").split(":")[0]),
    ["ok -#features float64 (50, 4)", "bad ERR_NPY_MAGIC magic.npy", "ok three.npz 3 arrays", ""],
  );
});

test("on a terminal bad stands out", async (t) => {
  const { stdout } = await runCaptured(["verify", at("magic.npy")], { terminal: 80, environment: {} });
  t.true(stdout.startsWith("\x1b[1mbad\x1b[22m ERR_NPY_MAGIC "), stdout);
});

test("memory does not grow with the file", async (t) => {
  t.timeout(60_000);
  execFileSync("python3", [
    "-c",
    `
import os, sys, zipfile
import numpy as np
os.chdir(sys.argv[1])
def write(file, fortran):
    np.lib.format.write_array_header_1_0(file, {'descr': '<f8', 'fortran_order': fortran, 'shape': (5000, 5000)})
for name, fortran in ('c.npy', False), ('fortran.npy', True):
    with open(name, 'wb') as file:
        write(file, fortran)
        file.truncate(file.tell() + 200_000_000)
with zipfile.ZipFile('big.npz', 'w', zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    with archive.open('x.npy', 'w') as file:
        write(file, True)
        for _ in range(100):
            file.write(bytes(2_000_000))
`,
    folder,
  ]);
  // The process says itself how much it took at most, in KiB.
  const report = 'process.on("exit", () => process.stderr.write(String(process.resourceUsage().maxRSS)));';
  const preload = `--import=data:text/javascript,${encodeURIComponent(report)}`;
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, preload];
  const args = [...node, local("../src/main.ts"), "verify", at("c.npy"), at("fortran.npy"), at("big.npz")];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Uint8Array) => {
    said.stdout += String(chunk);
  });
  child.stderr.on("data", (chunk: Uint8Array) => {
    said.stderr += String(chunk);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  t.is(code, 0);
  t.is(said.stdout.split("\n").filter((line) => line.startsWith("ok ")).length, 3);
  t.regex(said.stderr, /^\d+$/);
  t.true(Number(said.stderr) < 180 * 1024, `${said.stderr} KiB`);
});
