import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { decodeNpy, decodeNpz, formatNpyHeader } from "@npystream/codec";
import test from "ava";
import { runCaptured } from "./run-captured.ts";
import { RunningCommand } from "./start-command.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-convert-"));
const at = (name: string): string => join(folder, name);
const python = (program: string): string =>
  execFileSync("python3", ["-W", "ignore", "-c", program, folder], { encoding: "utf8" });
test.after.always(() => rmSync(folder, { recursive: true }));
// Each of the conversions that run here at once listens to the signals.
process.setMaxListeners(0);

/** Arrays by name, as NumPy makes them: `x.npy` of each, and `all.npz` of all. */
const ARRAYS = {
  features: "np.linspace(-1, 1, 600_000, dtype='f4').reshape(-1, 3)",
  labels: "np.arange(2**53, 2**53 + 7)",
  fortran: "np.asfortranarray(np.arange(24.).reshape(4, 6))",
  cube: "np.arange(24, dtype='i2').reshape(2, 3, 4)",
  scalar: "np.float64(2.5)",
  none: "np.zeros((0, 3), 'u1')",
  hollow: "np.zeros((4, 0), 'f8')",
  flags: "np.array([True, False, True])",
  special: "np.array([np.nan, np.inf, -np.inf, -0.0, 1e-300, 0.1])",
  waves: "np.array([[1+2j, -3.5e-7-4j], [complex(np.inf, np.nan), 0]], 'c16')",
  words: "np.array(['a,b', 'say \"hi\"', '', ' ü ', 'two\\nlines'])",
  bytes: "np.array([b'a', b'', b'abc'])",
  spans: "np.array([1, -5, 'NaT'], 'm8[s]')",
  times: "np.array(['2026-01-02', 'NaT'], 'M8[D]')",
  records: "np.array([(1, 2.5), (3, 4.5)], [('a', '<i4'), ('b', '<f8')])",
  big: "np.arange(5, dtype='>i4')",
} as const;
const prelude = `
import json, os, sys
import numpy as np
os.chdir(sys.argv[1])
`;
python(`${prelude}
arrays = {${Object.entries(ARRAYS)
  .map(([name, text]) => `'${name}': ${text}`)
  .join(", ")}}
for name, array in arrays.items(): np.save(f'{name}.npy', array)
np.savez('all.npz', **arrays)
np.savez_compressed('pair.npz', a=arrays['features'], b=arrays['labels'])
import zipfile
with zipfile.ZipFile('pair.npz', 'a') as z: z.writestr('notes.txt', 'hello')
`);

interface Check {
  readonly file: string;
  /** Expression over `got`. */
  readonly holds: string;
}

/** Runs `convert` and gives what it printed. */
async function convert(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCaptured(["convert", ...argv]);
  if (code !== 0) throw new Error(`${code}: ${stderr}`);
  return stdout.replaceAll(`${folder}/`, "");
}

/** One Python process looks at everything that was written. */
function look(checks: readonly Check[]): string {
  return python(`${prelude}
same = lambda a, b: a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
for file, holds in json.loads(${JSON.stringify(JSON.stringify(checks.map(({ file, holds }) => [file, holds])))}):
    got = np.load(file) if file[-4:] in ('.npy', '.npz') else open(file, newline='', encoding='utf8').read()
    if not eval(holds): print(file, holds, got)
`);
}

test("NumPy reads every array that was converted to an archive and back, cast and cut", async (t) => {
  const checks: Check[] = [];
  for (const [name, text] of Object.entries(ARRAYS)) {
    await convert(at(`${name}.npy`), at(`${name}.npz`), "--compress");
    await convert(at(`${name}.npz#${name}`), at(`${name}-back.npy`));
    const want = name === "big" ? `${text}.astype('<i4')` : text;
    checks.push({ file: `${name}.npz`, holds: `got.files == ['${name}'] and same(got['${name}'], ${want})` });
    checks.push({
      file: `${name}-back.npy`,
      holds: `same(got, ${want}) and not (got.ndim == 2 and got.size and np.isfortran(got))`,
    });
  }
  await convert(at("all.npz"), at("aligned.npz"), "--align", "page");
  checks.push({ file: "aligned.npz", holds: `got.files == ${JSON.stringify(Object.keys(ARRAYS))}` });
  await convert(at("features.npy"), at("named.npz#x"), "--rows", "10:-10", "--dtype", "float64");
  checks.push({ file: "named.npz", holds: `same(got['x'], (${ARRAYS.features})[10:-10].astype('f8'))` });
  await convert(at("cube.npy"), at("half.npy"), "--dtype", "<f2");
  checks.push({ file: "half.npy", holds: `same(got, (${ARRAYS.cube}).astype('f2'))` });
  t.is(look(checks), "");
});

test("text of every type that is read comes back as the array it was", async (t) => {
  const checks: Check[] = [];
  const types = {
    features: "float32",
    labels: "int64",
    flags: "bool",
    special: "float64",
    waves: "complex128",
    words: "U9",
    bytes: "S3",
    spans: "m8[s]",
    cube: "int16",
    fortran: "float64",
    none: "uint8",
  } as const;
  for (const [name, dtype] of Object.entries(types)) {
    const text = ARRAYS[name as keyof typeof types];
    for (const format of ["csv", "ndjson"]) {
      if (name === "none") continue;
      await convert(at(`${name}.npy`), at(`${name}.${format}`));
      await convert(at(`${name}.${format}`), at(`${name}-${format}.npy`), "--dtype", dtype);
      // A line of CSV has no planes, and a NaT is the least count.
      const want = name === "cube" && format === "csv" ? `${text}.reshape(2, 12)` : text;
      checks.push({ file: `${name}-${format}.npy`, holds: `same(got, ${want})` });
    }
  }
  await convert(at("features.csv"), at("table.npz"), "--compress", "--rows", "-2:");
  checks.push({ file: "table.npz", holds: `same(got['features'], (${ARRAYS.features}).astype('f8')[-2:])` });
  await convert(at("records.npy"), at("records.csv"));
  checks.push({ file: "records.csv", holds: "got == 'a,b\\n1,2.5\\n3,4.5\\n'" });
  await convert(at("records.csv"), at("columns.npy"), "--rows", "1:");
  checks.push({ file: "columns.npy", holds: "same(got, np.array([[1, 2.5], [3, 4.5]]))" });
  await convert(at("labels.npy"), at("short.ndjson"), "--dtype", "uint64", "--rows", ":1");
  checks.push({ file: "short.ndjson", holds: "json.loads(got) == '9007199254740992' and got[-1] == '\\n'" });
  writeFileSync(at("foreign.csv"), '\ufeffx,"y ""z"""\r\n1,"2"\r\n\r\n +3.5e2 ,inf\r\nnan,-.5');
  await convert(at("foreign.csv"), at("foreign.npy"), "--rows", "1:");
  checks.push({ file: "foreign.npy", holds: "str(got.tolist()) == '[[1.0, 2.0], [350.0, inf], [nan, -0.5]]'" });
  writeFileSync(at("empty.csv"), "");
  t.is((await runCaptured(["convert", at("empty.csv"), at("empty.npy")])).code, 1);
  t.is(look(checks), "");
});

test("what was written is told in lines or as JSON", async (t) => {
  t.is(await convert(at("labels.npy"), at("told.npy")), "told.npy int64 (7,)\ntold.npy 184 bytes\n");
  const text = await convert(at("pair.npz"), at("told.npz"));
  t.regex(
    text,
    /^told.npz#a float32 \(200000, 3\)\ntold.npz#b int64 \(7,\)\nleft out, since they are no arrays: notes.txt\ntold.npz 2.3 MiB\n$/,
  );
  t.deepEqual(JSON.parse(await convert(at("pair.npz"), at("told.npz"), "--overwrite", "--json")), {
    path: "told.npz",
    kind: "npz",
    arrays: [
      { member: "a", dtype: "float32", shape: [200_000, 3] },
      { member: "b", dtype: "int64", shape: [7] },
    ],
    byteLength: statSync(at("told.npz")).size,
    leftOut: ["notes.txt"],
  });
  t.deepEqual(JSON.parse(await convert(at("cube.npy"), at("told.csv"), "--json")), {
    path: "told.csv",
    kind: "csv",
    arrays: [{ dtype: "int16", shape: [2, 3, 4] }],
    byteLength: statSync(at("told.csv")).size,
  });
});

test("an array on stdin is named as NumPy names one without a name", async (t) => {
  const { code } = await runCaptured(["convert", "-", at("stdin.npz")], { stdin: readFileSync(at("labels.npy")) });
  t.is(code, 0);
  t.deepEqual(Object.keys(decodeNpz(readFileSync(at("stdin.npz")))), ["arr_0"]);
  const member = await runCaptured(["convert", "-#b", at("stdin.npy")], { stdin: readFileSync(at("pair.npz")) });
  t.is(member.code, 0);
  t.deepEqual(decodeNpy(readFileSync(at("stdin.npy"))).shape, [7]);
});

const fails = test.macro({
  title: (_, name: string) => `${name}, and nothing is written`,
  async exec(t, _name: string, code: 1 | 2, argv: readonly string[], message: RegExp) {
    const out = mkdtempSync(at("out-"));
    writeFileSync(join(out, "old.npy"), "old");
    const place = (text: string): string => text.replace("OUT", out).replace(/^IN/, folder);
    const result = await runCaptured(["convert", ...argv.map(place)]);
    t.is(result.code, code, result.stderr);
    t.is(result.stdout, "");
    t.regex(result.stderr.replaceAll(out, "OUT").replaceAll(folder, "IN"), message);
    t.is(result.stderr.indexOf("\n"), result.stderr.length - 1);
    t.deepEqual(readdirSync(out), ["old.npy"]);
    t.is(readFileSync(join(out, "old.npy"), "utf8"), "old");
  },
});
test(
  fails,
  "an existing file is replaced only where asked",
  1,
  ["IN/labels.npy", "OUT/old.npy"],
  /^error ERR_WRITE_EXISTS OUT\/old.npy: it exists already; --overwrite replaces it$/m,
);
test(
  fails,
  "an extension there is not is wrong use",
  2,
  ["IN/labels.npy", "OUT/x.txt"],
  /\.npy \.npz \.csv \.ndjson$/m,
);
test(fails, "several arrays do not fit a .npy", 2, ["IN/pair.npz", "OUT/x.npy"], /2 arrays \(a, b\).*pair.npz#a/);
test(fails, "several arrays do not take one name", 2, ["IN/pair.npz", "OUT/x.npz#x"], /2 arrays/);
test(fails, "a name does not fit a .npy", 2, ["IN/labels.npy", "OUT/x.npy#x"], /extension|names/);
test(fails, "--compress is for an .npz", 2, ["IN/labels.npy", "OUT/x.csv", "--compress"], /--compress/);
test(fails, "an alignment there is not is wrong use", 2, ["IN/labels.npy", "OUT/x.npz", "--align", "32"], /64 or page/);
test(
  fails,
  "a type there is not is wrong use",
  2,
  ["IN/labels.npy", "OUT/x.npz", "--dtype", "float33"],
  /--dtype float33/,
);
test(
  fails,
  "a cast there is not is wrong use",
  2,
  ["IN/waves.npy", "OUT/x.npz", "--dtype", "float64"],
  /--dtype float64/,
);
test(
  fails,
  "types that are not read from text are wrong use",
  2,
  ["IN/words.csv", "OUT/x.npy", "--dtype", "M8[s]"],
  /not read from text/,
);
test(fails, "text is not written as other text", 2, ["IN/words.csv", "OUT/x.ndjson"], /other text/);
test(fails, "rows of a 0-d array are wrong use", 2, ["IN/scalar.npy", "OUT/x.npy", "--rows", "0:1"], /0-d/);
test(
  fails,
  "a value out of range is told with its array",
  1,
  ["IN/pair.npz", "OUT/x.npz", "--dtype", "int8", "--rows", ":7"],
  /^error ERR_CAST_RANGE IN\/pair.npz#b: /,
);
test(fails, "a missing member is told", 1, ["IN/pair.npz#c", "OUT/x.npy"], /^error ERR_NPZ_MEMBER IN\/pair.npz#c: /);
test(fails, "a missing file is told", 1, ["IN/missing.csv", "OUT/x.npy"], /^error ENOENT IN\/missing.csv: /);
const missing =
  /^error ERR_WRITE_IO OUT\/missing\/(x.\w+): there is no folder OUT\/missing, and none is made: create it before$/m;
test(fails, "a missing folder is told", 1, ["IN/labels.npy", "OUT/missing/x.npy"], missing);
test(fails, "a missing folder of an archive is told", 1, ["IN/labels.npy", "OUT/missing/x.npz"], missing);
test(fails, "a missing folder of text is told", 1, ["IN/labels.npy", "OUT/missing/x.csv"], missing);
const refuses = test.macro({
  title: (_, text: string) => `ERR_TEXT_PARSE: ${JSON.stringify(text)}`,
  async exec(t, text: string, format: "csv" | "ndjson", message: RegExp, dtype?: string) {
    const own = mkdtempSync(at("text-"));
    const path = join(own, `x.${format}`);
    writeFileSync(path, text);
    const { code, stderr } = await runCaptured(["convert", path, join(own, "x.npy"), "--dtype", dtype ?? "float64"]);
    t.is(code, 1);
    t.true(stderr.startsWith(`error ERR_TEXT_PARSE ${path}: line `), stderr);
    t.regex(stderr, message);
    t.deepEqual(readdirSync(own), [`x.${format}`]);
  },
});
test(refuses, "1,2\n\n3\n", "csv", /line 3: .*shape \[\].*\[2\]/);
test(refuses, "a,b\n1,2\n", "csv", /line 1: "a" is no number/);
test(refuses, "1,\n", "csv", /line 1: "" is no number/);
test(refuses, "0x10\n", "csv", /"0x10" is no number/);
test(refuses, '1\n"2\n3', "csv", /line 2: a quote is not closed/);
test(refuses, '1\n2"3"\n', "csv", /line 2: a quote stands within/);
test(refuses, '1\n"2"3\n', "csv", /line 2: text follows the quote/);
test(refuses, "1\n1.5\n", "csv", /line 2: "1.5" is no integer/, "int32");
test(refuses, "1\n300\n", "csv", /line 2: 300 is no integer from 0 to 255/, "uint8");
test(refuses, "18446744073709551616\n", "csv", /line 1: .*64 bits/, "uint64");
test(refuses, "yes\n", "csv", /line 1: "yes" is no boolean/, "bool");
test(refuses, "abcd\n", "csv", /line 1: .*3 characters/, "U3");
test(refuses, "1\n[1]\n", "ndjson", /line 2: .*shape/);
test(refuses, "[[1, 2], [3]]\n", "ndjson", /line 1: .*length/);
test(refuses, "[1\n", "ndjson", /line 1: this is no JSON/);
test(refuses, "null\n", "ndjson", /line 1: null is no number|line 1: "null" is no number/);
test(refuses, '{"a": 1}\n', "ndjson", /line 1: .*is no number/);

test("a file converted onto itself is replaced by the whole of it", async (t) => {
  copyFileSync(at("features.npy"), at("itself.npy"));
  await convert(at("itself.npy"), at("itself.npy"), "--overwrite", "--rows", ":1000");
  t.deepEqual(decodeNpy(readFileSync(at("itself.npy"))).shape, [1000, 3]);
});

test("text in another encoding is refused by its line, and nothing is written", async (t) => {
  for (const [name, text] of [
    ["latin.csv", "a,b\nc,\xe9\n"],
    ["latin.ndjson", '["a","b"]\n["c","\xe9"]\n'],
  ] as const) {
    writeFileSync(at(name), text, "latin1");
    const { code, stderr } = await runCaptured(["convert", at(name), at(`${name}.npy`), "--dtype", "U3"]);
    t.is(code, 1);
    t.regex(stderr, /ERR_TEXT_PARSE.*line 2: .*UTF-8/);
    t.false(readdirSync(folder).includes(`${name}.npy`));
  }
});

const interrupted = test.macro({
  title: (_, out: string) => `Ctrl-C leaves nothing of ${out}, and the process ends by it as others do`,
  async exec(t, out: string) {
    const place = mkdtempSync(join(folder, "interrupted-"));
    const isText = out.endsWith("csv");
    const input = join(place, isText ? "in.npy" : "in.csv");
    if (isText) {
      // Zeros that take no room on the disk, and longer to be written as text than any test waits.
      writeFileSync(input, formatNpyHeader({ dtype: "int8", shape: [1e8] }));
      truncateSync(input, 1e8 + 128);
    } else {
      execFileSync("mkfifo", [input]);
    }
    const command = new RunningCommand(["convert", input, join(place, out)]);
    // Opened to read too, so that opening does not wait. No more comes, and the pipe does not end.
    const source = await open(input, "r+");
    if (!isText) await source.write("1\n2\n");
    await command.until(() => readdirSync(place).some((name) => name.endsWith(".partial")));
    command.child.kill("SIGINT");
    t.is(await command.end(), "SIGINT");
    t.is(command.stderr, "");
    t.deepEqual(readdirSync(place), [basename(input)]);
    await source.close();
  },
});
test(interrupted, "out.npy");
test(interrupted, "out.npz");
test(interrupted, "out.csv");
