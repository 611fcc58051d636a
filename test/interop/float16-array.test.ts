import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import test from "ava";
import { build } from "esbuild";
import type { SuiteResult } from "../browser/suite.ts";
import { root } from "../package/workspace.ts";
import type { Float16Input, Float16Output } from "./float16-suite.ts";
import { newerNode } from "./newer-node.ts";

/** What NumPy has for the float16 files. */
interface Float16Reference extends Float16Input {
  /** Every bit pattern as float64. */
  readonly values: string;
  /** The doubles as float16. */
  readonly halves: string;
}

const folder = mkdtempSync(join(tmpdir(), "npystream-float16-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

// Doubles at, above and below every point between two float16 numbers, and where they end.
const program = `
import base64, io, json, sys
import numpy as np
def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return text(file.getvalue())
def text(data):
    return base64.b64encode(data).decode()
bits = np.arange(65536, dtype='<u2')
values = bits.view('<f2')
finite = np.sort(np.unique(values[np.isfinite(values)].astype('f8')))
middle = np.concatenate([(finite[1:] + finite[:-1]) / 2, [65520, -65520, 2.0**-25, -2.0**-25]])
doubles = np.concatenate([finite, middle, np.nextafter(middle, np.inf), np.nextafter(middle, -np.inf),
                          [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, -1e300, 5e-324, -5e-324]])
with np.errstate(all='ignore'):
    print(json.dumps({'little': npy(values), 'big': npy(values.astype('>f2')), 'doubles': npy(doubles),
                      'values': text(values.astype('f8').tobytes()), 'halves': text(doubles.astype('f2').tobytes())}))
`;

/** Bundles codec with a suite, runs it on a Node, and gives what the suite gives. */
async function runOn<T>(node: string, suite: string, call: string, input: string): Promise<T> {
  const bundle = join(folder, `${call}.mjs`);
  await build({
    entryPoints: [join(root, suite)],
    bundle: true,
    outfile: bundle,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["@npystream/source"],
  });
  writeFileSync(join(folder, "input.json"), input);
  const script = `
    import { readFileSync } from "node:fs";
    import { ${call} } from "./${call}.mjs";
    const input = readFileSync(new URL("input.json", import.meta.url), "utf8");
    process.stdout.write(JSON.stringify(${call}(${call === "runSuite" ? "input" : "JSON.parse(input)"})));
  `;
  writeFileSync(join(folder, "run.mjs"), script);
  return JSON.parse(execFileSync(node, [join(folder, "run.mjs")], { encoding: "utf8", maxBuffer: 1 << 26 })) as T;
}

/** Doubles as a list, in which one NaN is like another. */
function doublesOf(base64: string): number[] {
  return Array.from(new Float64Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer));
}

const runsFloat16 = test.macro({
  title: (_, has: string) => `${has}, every float16 has NumPy's value and doubles round as NumPy rounds them`,
  async exec(t, _has: string, node: () => string, data: () => string) {
    t.timeout(240_000);
    const reference: Float16Reference = JSON.parse(
      execFileSync("python3", ["-c", program], { encoding: "utf8", maxBuffer: 1 << 26 }),
    );
    const output = await runOn<Float16Output>(
      node(),
      "test/interop/float16-suite.ts",
      "runFloat16",
      JSON.stringify(reference),
    );
    t.deepEqual(new Set(output.constructors), new Set([data()]));
    t.is(output.constructors.length, 7);
    for (const values of output.values) t.true(isDeepStrictEqual(doublesOf(values), doublesOf(reference.values)));
    t.deepEqual(
      output.halves.map((halves) => halves === reference.halves),
      [true, true],
    );
    t.deepEqual(
      output.encoded.map((encoded) => encoded === reference.little),
      [true, true, true],
    );
  },
});

const hasFloat16Array = (): boolean => "Float16Array" in globalThis;
test.serial(runsFloat16, "with Float16Array", newerNode, () => "Float16Array");
test.serial(
  runsFloat16,
  "on this Node",
  () => process.execPath,
  () => (hasFloat16Array() ? "Float16Array" : "Uint16Array"),
);

test.serial("with Float16Array, all of NumPy's files decode and encode as without it", async (t) => {
  t.timeout(240_000);
  execFileSync("python3", [join(root, "test/fixtures/generate.py"), folder]);
  const expected = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as { file: string }[];
  const fixtures = expected.map((fixture) => ({
    ...fixture,
    base64: readFileSync(join(folder, "valid", fixture.file)).toString("base64"),
  }));
  const { checks, failures } = await runOn<SuiteResult>(
    newerNode(),
    "test/browser/suite.ts",
    "runSuite",
    JSON.stringify(fixtures),
  );
  t.deepEqual(failures, []);
  t.true(checks > 2000, `${checks} checks`);
});
