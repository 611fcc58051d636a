import { spawn } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import test, { type ExecutionContext } from "ava";
import { TapReport } from "./tap-report.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const PASSING = "import test from 'ava';\ntest('one holds', (t) => t.pass());\ntest('two holds', (t) => t.pass());\n";
const FAILING = "import test from 'ava';\ntest('three holds', (t) => t.is('found', 'expected'));\n";
const CRASHING =
  "import test from 'ava';\ntest('four holds', (t) => t.pass());\nprocess.kill(process.pid, 'SIGKILL');\n";
const EXITING = "import test from 'ava';\ntest('five holds', () => process.exit(0));\n";

interface Expected {
  readonly lastLine: string | RegExp;
  readonly exitCode: number;
  readonly shows?: readonly string[];
}

const runs = test.macro(async (t: ExecutionContext, files: Record<string, string>, expected: Expected) => {
  t.timeout(120_000);
  const project = await mkdtemp(join(tmpdir(), "npystream-run-"));
  t.teardown(() => rm(project, { recursive: true, force: true }));
  const ava = { files: ["*.test.js"], workerThreads: false };
  await writeFile(join(project, "package.json"), JSON.stringify({ type: "module", ava }));
  await symlink(join(root, "node_modules"), join(project, "node_modules"), "junction");
  for (const [name, source] of Object.entries(files)) {
    await writeFile(join(project, name), source);
  }
  const env = { ...process.env };
  delete env["NODE_OPTIONS"];
  const tsx = import.meta.resolve("tsx");
  const child = spawn(process.execPath, [`--import=${tsx}`, join(root, "test/run.ts")], { cwd: project, env });
  const exited = new Promise((resolve) => child.once("close", resolve));
  const [output, exitCode] = await Promise.all([text(child.stdout), exited]);
  t.true(output.endsWith("\n"));
  const lastLine = output.trimEnd().split("\n").at(-1) ?? "";
  if (typeof expected.lastLine === "string") {
    t.is(lastLine, expected.lastLine, output);
  } else {
    t.regex(lastLine, expected.lastLine, output);
  }
  t.is(exitCode, expected.exitCode);
  for (const part of expected.shows ?? []) {
    t.true(output.includes(part), `${part} is missing in:\n${output}`);
  }
});

test(
  "a run whose tests hold ends with their number and exit 0",
  runs,
  { "a.test.js": PASSING },
  {
    lastLine: "2 passed, 0 failed",
    exitCode: 0,
    shows: ["one holds", "two holds"],
  },
);

test(
  "a broken test is shown with its file and its diagnostics and gives exit 1",
  runs,
  {
    "a.test.js": PASSING,
    "b.test.js": FAILING,
  },
  { lastLine: "2 passed, 1 failed", exitCode: 1, shows: ["FAILED b › three holds", "'found'", "'expected'"] },
);

test(
  "a test process that is killed counts as a failure",
  runs,
  { "a.test.js": PASSING, "c.test.js": CRASHING },
  {
    lastLine: /^2 passed, [1-9]\d* failed$/,
    exitCode: 1,
  },
);

test(
  "a test that ends its process with exit 0 counts as a failure",
  runs,
  { "d.test.js": EXITING },
  {
    lastLine: /^0 passed, [1-9]\d* failed$/,
    exitCode: 1,
  },
);

test("a run without any test counts as one failure", runs, {}, { lastLine: "0 passed, 1 failed", exitCode: 1 });

test("a report that stops before its summary counts a failure", (t) => {
  const report = new TapReport();
  t.deepEqual(report.line("ok 1 - one holds"), ["  ✔ one holds"]);
  t.deepEqual(report.tally(0), { passed: 1, failed: 1 });
});

test("skipped and open tests count neither way", (t) => {
  const report = new TapReport();
  for (const line of ["ok 1 - one # SKIP", "not ok 2 - two # TODO", "ok 3 - three", "# fail 0"]) {
    report.line(line);
  }
  t.deepEqual(report.tally(0), { passed: 1, failed: 0 });
});
