import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import test from "ava";
import { runCaptured } from "../../packages/cli/test/run-captured.ts";
import { root } from "../package/workspace.ts";

/** One line of `verify --json`. */
interface Verdict {
  readonly path: string;
  readonly ok: boolean;
  readonly code?: string;
}

const folder = mkdtempSync(join(tmpdir(), "npystream-verify-fixtures-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
for (const script of ["generate.py", "malformed.py"]) {
  execFileSync("python3", [join(root, "test/fixtures", script), folder]);
}
const pathsIn = (kind: string): string[] =>
  readdirSync(join(folder, kind))
    .sort()
    .map((name) => join(folder, kind, name));

/** What verify says of files: `ok`, or the codes of what is bad. */
async function verify(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout, stderr } = await runCaptured(["verify", "--strict", "--json", ...paths]);
  if (stderr !== "") throw new Error(stderr);
  const said = new Map<string, string>();
  for (const line of stdout.trimEnd().split("\n")) {
    const { path, ok, code = "" } = JSON.parse(line) as Verdict;
    const before = said.get(path);
    said.set(path, `${before === undefined ? "" : `${before}, `}${ok ? "ok" : code}`);
  }
  return said;
}

test("of all fixtures in one folder verify reports the malformed ones and no others, each with the one code in its name", async (t) => {
  const [valid, malformed] = [pathsIn("valid"), pathsIn("malformed")];
  t.true(valid.length > 900 && malformed.length > 400, `${valid.length} and ${malformed.length} files`);
  const said = await verify([...valid, ...malformed]);
  const bad = Object.fromEntries([...said].filter(([, what]) => what !== "ok"));
  const expected = malformed.map((path) => [path, /ERR_[A-Z]+_[A-Z]+/.exec(basename(path))?.[0]]);
  t.deepEqual(bad, Object.fromEntries(expected));
  t.is(said.size, valid.length + malformed.length);
});

test("files whose name says another kind are judged by their first bytes", async (t) => {
  const misnamed = pathsIn("misnamed");
  t.true(misnamed.length >= 8);
  const expected = misnamed.map((path) => [path, /-content-(ok|ERR_[A-Z]+_[A-Z]+)-/.exec(basename(path))?.[1]]);
  t.deepEqual(Object.fromEntries(await verify(misnamed)), Object.fromEntries(expected));
});

test("verify holds archives to more than decoding asks: what contradicts the data is reported, what is passed over is not", async (t) => {
  const tolerated = pathsIn("tolerated");
  const expected = tolerated.map((path) => [path, /^(ok|ERR_[A-Z]+_[A-Z]+)-/.exec(basename(path))?.[1]]);
  t.deepEqual(Object.fromEntries(await verify(tolerated)), Object.fromEntries(expected));
});
