import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { runCaptured } from "./run-captured.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-cat-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const python = (...args: string[]): string =>
  execFileSync("python3", ["-W", "ignore", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
const script = (name: string): string => new URL(name, import.meta.url).pathname;

python(
  "-c",
  `
import os, sys
import numpy as np
os.chdir(sys.argv[1])
cube = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
np.save('cube.npy', cube)
np.save('tens.npy', np.arange(10, dtype=np.float32) / 10)
np.save('scalar.npy', np.float32(0.1))
np.save('fortran.npy', np.asfortranarray(np.arange(200_000, dtype='>i4').reshape(2, 1000, 100)))
np.save('large.npy', np.arange(300_000, dtype=np.float64).reshape(-1, 3) - 0.25)
np.savez('set.npz', tens=np.arange(10), cube=cube, scalar=np.float64(1.5))
np.savez_compressed('deflated.npz', tens=np.arange(10), cube=cube)
np.savez('one.npz', only=np.eye(2))
np.savez('none.npz')
np.savez('objects.npz', fine=np.arange(3), bad=np.array([{}], object))
np.savez('twice.npz', **{'x': np.arange(2), 'x.npy': np.arange(3)})
`,
  folder,
);

test("values of every dtype, records included, byte order, memory order and rank are NumPy's in every format", async (t) => {
  t.timeout(60_000);
  const arrays = at("arrays");
  python("-c", "import os, sys; os.mkdir(sys.argv[1])", arrays);
  const paths: string[] = JSON.parse(python(script("write-arrays.py"), arrays));
  t.true(paths.length > 600);
  const lines: string[] = [];
  for (const path of paths) {
    const [json, ndjson, csv, columns] = await Promise.all(
      [["--json"], ["--ndjson"], ["--csv"], []].map(async (format) => {
        const { code, stdout, stderr } = await runCaptured(["cat", path, ...format]);
        if (code !== 0) t.fail(stderr);
        return stdout;
      }),
    );
    lines.push(JSON.stringify({ path, json, ndjson, csv, columns }));
  }
  writeFileSync(at("printed.jsonl"), lines.join("\n"));
  t.deepEqual(JSON.parse(python(script("check-values.py"), at("printed.jsonl"))), []);
});

const prints = test.macro({
  title: (_, args: string[]) => `cat ${args.join(" ")} prints what it should`,
  async exec(t: ExecutionContext, args: string[], expected: string) {
    const [name = "", ...options] = args;
    t.deepEqual(await runCaptured(["cat", at(name), ...options]), { code: 0, stdout: expected, stderr: "" });
  },
});

test(prints, ["scalar.npy"], "0.1\n");
test(prints, ["scalar.npy", "--json"], '{"dtype":"<f4","shape":[],"order":"C","values":0.10000000149011612}\n');
test(prints, ["tens.npy", "--rows", "0:2"], "0.0\n0.1\n");
test(prints, ["tens.npy", "--rows", "-2:"], "0.8\n0.9\n");
test(prints, ["tens.npy", "--rows=-2:", "--csv"], "0.800000011920929\n0.8999999761581421\n");
test(prints, ["tens.npy", "--rows", "5:2", "--json"], '{"dtype":"<f4","shape":[0],"order":"C","values":[]}\n');
test(prints, ["tens.npy", "--rows", ":100", "--ndjson", "--rows", "100:"], "");
test(prints, ["cube.npy"], " 0  1  2  3\n 4  5  6  7\n 8  9 10 11\n\n12 13 14 15\n16 17 18 19\n20 21 22 23\n");
test(prints, ["cube.npy", "--rows", "1:", "--csv"], "12,13,14,15,16,17,18,19,20,21,22,23\n");
test(prints, ["cube.npy", "--rows", ":1", "--ndjson"], "[[0,1,2,3],[4,5,6,7],[8,9,10,11]]\n");
test(prints, ["set.npz#scalar", "--json"], '{"dtype":"<f8","shape":[],"order":"C","values":1.5}\n');
test(prints, ["deflated.npz#tens", "--rows", "8:", "--ndjson"], '"8"\n"9"\n');
test(prints, ["one.npz"], "1.0 0.0\n0.0 1.0\n");
test(prints, ["one.npz", "--csv"], "1.0,0.0\n0.0,1.0\n");
test(
  prints,
  ["one.npz", "--json"],
  '{"only":{"dtype":"<f8","shape":[2,2],"order":"C","values":[[1.0,0.0],[0.0,1.0]]}}\n',
);
test(prints, ["none.npz", "--json"], "{}\n");
test(prints, ["none.npz"], "");
test(
  prints,
  ["twice.npz", "--json"],
  '{"x":{"dtype":"<i8","shape":[2],"order":"C","values":["0","1"]},"x.npy":{"dtype":"<i8","shape":[3],"order":"C","values":["0","1","2"]}}\n',
);

test("arrays of more than one chunk are whole, in C order and evenly joined", async (t) => {
  for (const name of ["large.npy", "fortran.npy"]) {
    const { stdout } = await runCaptured(["cat", at(name), "--json"]);
    writeFileSync(at("whole.json"), stdout);
    t.is(
      python(
        "-c",
        "import json,sys,numpy as np\nprint(np.array_equal(np.array(json.load(open(sys.argv[1]))['values']), np.load(sys.argv[2])))",
        at("whole.json"),
        at(name),
      ),
      "True\n",
    );
    const lines = (await runCaptured(["cat", at(name), "--csv"])).stdout.split("\n");
    t.is(lines.length, name === "large.npy" ? 100_001 : 3);
  }
  const columns = (await runCaptured(["cat", at("large.npy")])).stdout.split("\n");
  t.is(columns.length, 100_001);
  t.is(columns.at(-2)?.trim(), "299996.75 299997.75 299998.75");
});

test("an archive's arrays are printed under their names where nothing names one", async (t) => {
  const { stdout } = await runCaptured(["cat", at("deflated.npz"), "--rows", "0:1"]);
  t.is(stdout, "tens:\n0\n\ncube:\n0 1  2  3\n4 5  6  7\n8 9 10 11\n");
});

/** Descriptors that are open on files of a folder, without a name or with one. */
const openIn = (path: string): string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((target) => target.startsWith(path));
    } catch {
      // The one that listed the others is closed by now.
      return [];
    }
  });

test.serial("stdin is read as a file is, members included, and leaves nothing open or behind", async (t) => {
  const expected = (await runCaptured(["cat", at("cube.npy"), "--csv"])).stdout;
  const temporary = at("temporary");
  mkdirSync(temporary);
  process.env["TMPDIR"] = temporary;
  t.teardown(() => delete process.env["TMPDIR"]);
  for (const [name, place] of [
    ["cube.npy", "-"],
    ["set.npz", "-#cube"],
    ["deflated.npz", "-#cube"],
  ] as const) {
    const result = await runCaptured(["cat", place, "--csv"], { stdin: readFileSync(at(name)) });
    t.deepEqual(result, { code: 0, stdout: expected, stderr: "" });
  }
  t.deepEqual(openIn(temporary), []);
  t.deepEqual(readdirSync(temporary), []);
});

test.serial("neither a file nor an archive stays open, whether it is good or bad", async (t) => {
  for (const place of ["cube.npy", "set.npz#tens", "deflated.npz", "set.npz#nope", "cube.npy#x", "objects.npz"]) {
    await runCaptured(["cat", at(place), "--json"]);
    await runCaptured(["inspect", at(place)]);
  }
  t.deepEqual(openIn(folder), []);
});

test("on a terminal there is a summary and what NumPy prints", async (t) => {
  const text = python(
    "-c",
    "import sys,numpy as np\nnp.set_printoptions(linewidth=60)\nprint(np.load(sys.argv[1]))\nprint(np.load(sys.argv[2]))",
    at("large.npy"),
    at("fortran.npy"),
  );
  const large = await runCaptured(["cat", at("large.npy")], { terminal: 60 });
  const fortran = await runCaptured(["cat", at("fortran.npy")], { terminal: 60 });
  t.is(
    large.stdout + fortran.stdout,
    text
      .replace(/^/, `${at("large.npy")}: float64, shape (100000, 3), order C, 2.3 MiB\n`)
      .replace("\n[[[", `\n${at("fortran.npy")}: int32, shape (2, 1000, 100), order F, 781.3 KiB\n[[[`),
  );
});

test("on a terminal a 0-d array is a value, an empty one brackets, and each member has its summary", async (t) => {
  t.is(
    (await runCaptured(["cat", at("scalar.npy")], { terminal: 80 })).stdout,
    `${at("scalar.npy")}: float32, shape (), order C, 4 bytes\n0.1\n`,
  );
  t.is(
    (await runCaptured(["cat", at("set.npz#tens"), "--rows", "0:0"], { terminal: 80 })).stdout,
    "tens: int64, shape (0,), order C, 0 bytes\n[]\n",
  );
  t.is(
    (await runCaptured(["cat", at("deflated.npz"), "--rows", "0:1"], { terminal: 0 })).stdout,
    "tens: int64, shape (1,), order C, 8 bytes\n[0]\n\ncube: int16, shape (1, 3, 4), order C, 24 bytes\n[[[ 0  1  2  3]\n  [ 4  5  6  7]\n  [ 8  9 10 11]]]\n",
  );
});

test("on a terminal every dtype is printed as NumPy prints it", async (t) => {
  const program = String.raw`
import json, os, sys
import numpy as np
os.chdir(sys.argv[1])
record = [('x', 'f4'), ('n', 'i8', (2, 2)), ('when', 'M8[D]'), ('in', [('name', 'U3'), ('ok', '?')])]
rows = [(0.5, [[1, -20], [3, 4]], '2026-01-02', ('a', True)), (-1e-5, [[0, 0], [0, 0]], 'NaT', ("it's", False))]
arrays = [
    np.array(['a', "it's", 'q"', 'both\'"', 'ü😀', 'tab\t\\\n\x1b\u2028\ue000']),
    np.array([b'a', b"it's", b'q"', b'\xff\x00\x01\n\\\'"']),
    np.array([b'ab', b'\xab\x01'], 'V2'),
    np.array(['2026-01-02', 'NaT', '-0044-03-15'], 'M8[D]'),
    np.array(['2026-01-02T03:04:05.123456789'], 'M8[ns]'),
    np.array(['NaT', 'NaT'], 'M8[s]'),
    np.array([1, -1000, 'NaT'], 'm8[ms]'),
    np.array([5, 70], 'm8[D]'),
    np.array(rows, record),
    np.array([rows, rows], record),
    np.array([(7,)], [('only', 'u1')]),
    np.zeros(2, [('long', 'i2', (1001,))]),
    np.arange(3000).astype('M8[D]').reshape(1000, 3),
    np.zeros((0, 2), record),
]
texts = []
for index, array in enumerate(arrays):
    np.save(f'shown-{index}.npy', array)
    np.set_printoptions(linewidth=70)
    texts.append(str(array))
print(json.dumps(texts))`;
  const texts: string[] = JSON.parse(python("-c", program, folder));
  for (const [index, text] of texts.entries()) {
    const { code, stdout, stderr } = await runCaptured(["cat", at(`shown-${index}.npy`)], { terminal: 70 });
    t.deepEqual([code, stderr], [0, ""]);
    t.is(stdout.slice(stdout.indexOf("\n") + 1), `${text}\n`, `array ${index}`);
  }
});

test("records have a column for each field, and a line of names in CSV", async (t) => {
  const program = `
import os, sys
import numpy as np
os.chdir(sys.argv[1])
np.save('records.npy', np.array([(1.5, [1, 20], ('a b', True)), (-0.25, [300, 4], ('', False))],
                                [('x', 'f4'), ('n', 'i8', (2,)), ('in', [('name', 'U3'), ('ok', '?')])]))
np.save('empty-records.npy', np.zeros((2, 0), [('x', 'f4')]))
np.save('nothing.npy', np.zeros((2, 2), 'V0'))`;
  python("-c", program, folder);
  const printed = async (...args: string[]): Promise<string> => (await runCaptured(["cat", ...args])).stdout;
  t.is(
    await printed(at("records.npy"), "--csv"),
    'x,n[0],n[1],in.name,in.ok\n1.5,1,20,a b,true\n-0.25,300,4,"",false\n',
  );
  t.is(await printed(at("records.npy")), "  1.5   1 20 a b  True\n-0.25 300  4     False\n");
  t.is(
    await printed(at("records.npy"), "--ndjson", "--rows", "1:"),
    '{"x":-0.25,"n":["300","4"],"in":{"name":"","ok":false}}\n',
  );
  t.is(await printed(at("empty-records.npy"), "--ndjson"), "[]\n[]\n");
  t.is(await printed(at("nothing.npy"), "--ndjson"), '["",""]\n["",""]\n');
});

test("names stand out on a terminal unless NO_COLOR is set", async (t) => {
  const shown = async (environment: Readonly<Record<string, string>>, terminal = 80): Promise<string> =>
    (await runCaptured(["cat", at("one.npz#only")], { terminal, environment })).stdout.split("\n")[0] ?? "";
  t.true((await shown({})).startsWith("\x1b[1monly\x1b[22m:"));
  t.true((await shown({ NO_COLOR: "1" })).startsWith("only:"));
  t.true((await shown({ TERM: "dumb" })).startsWith("only:"));
});

const fails = test.macro({
  title: (_, args: string[]) => `cat ${args.join(" ")} fails with one line`,
  async exec(t: ExecutionContext, args: string[], code: number, line: string) {
    const [name = "", ...options] = args;
    const result = await runCaptured(["cat", at(name), ...options]);
    t.deepEqual(result, { code, stdout: "", stderr: `${line.replaceAll("@", `${folder}/`)}\n` });
  },
});

test(
  fails,
  ["set.npz#nope"],
  1,
  'error ERR_NPZ_MEMBER @set.npz#nope: the archive has no such array; it has "tens", "cube", "scalar"',
);
test(fails, ["cube.npy#x"], 1, "error ERR_NPZ_MEMBER @cube.npy#x: the file is a .npy, a single array without members");
test(
  fails,
  ["set.npz", "--csv"],
  2,
  "error: @set.npz holds 3 arrays (tens, cube, scalar): name one of them, as @set.npz#tens",
);
test(
  fails,
  ["set.npz", "--ndjson"],
  2,
  "error: @set.npz holds 3 arrays (tens, cube, scalar): name one of them, as @set.npz#tens",
);
test(fails, ["scalar.npy", "--rows", ":"], 2, "error: --rows does not fit a 0-d array, which has no rows");
test(fails, ["set.npz", "--json", "--rows", ":1"], 2, "error: --rows does not fit a 0-d array, which has no rows");
test(
  fails,
  ["objects.npz", "--json"],
  1,
  'error ERR_NPY_OBJECT @objects.npz#bad: dtype "|O" holds pickled Python objects, which are code and never unpickled',
);
