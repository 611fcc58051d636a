import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import ts from "typescript";
import { startRedis } from "../../packages/pipeline-discovery/test/helpers/queue-servers.ts";
import { listFiles, packageFolders, readText, root } from "../package/workspace.ts";
import { atPageLines, readScenarios, runnableCommands, type Scenario, type Snippet } from "./snippets.ts";

const run = promisify(execFile);
const SNIPPET_MS = 120_000;
/** Fences a page may use; the last five are shown and not run. */
const LANGUAGES = ["ts", "sh", "python", "json", "text", "csv", "diff", ""];
const RUN = ["ts", "sh", "python"];
/** The setup that also has a Redis, at `QUEUE_URL`. */
const QUEUE_SETUP = "queue";
/** Folders of make-fixtures.py that `<!-- setup: name -->` adds to the base ones. */
const SETUPS = ["shards", "incoming", "broken", QUEUE_SETUP];

const pages = [
  ...["README.md", ...packageFolders.map((folder) => `packages/${folder}/README.md`)].filter((page) =>
    existsSync(join(root, page)),
  ),
  ...listFiles("docs", ".md").filter((page) => !page.startsWith("docs/api/")),
];
const scenarios = pages.flatMap((page) => readScenarios(page, readText(page)));
const runnable = scenarios.filter(({ snippets }) => snippets.some(({ language }) => RUN.includes(language)));

let workshop = "";

test.before("the fixtures are written by NumPy", async () => {
  workshop = await mkdtemp(join(tmpdir(), "npystream-docs-"));
  await run("python3", [join(root, "test/docs/make-fixtures.py"), join(workshop, "fixtures")]);
  await symlink(join(root, "node_modules"), join(workshop, "node_modules"), "junction");
  await writeFile(join(workshop, "package.json"), JSON.stringify({ private: true, type: "module" }));
});

test.after.always("the folders are removed", async () => {
  await rm(workshop, { recursive: true, force: true });
});

test("pages use only fences whose content is run or plainly shown", (t) => {
  for (const { page, line, language, setup } of scenarios.flatMap(({ snippets }) => snippets)) {
    t.true(LANGUAGES.includes(language), `${page}:${line}: a ${language} block`);
    t.true(setup === undefined || SETUPS.includes(setup), `${page}:${line}: no setup is named ${setup}`);
  }
  t.pass();
});

test("every ts block of the pages type-checks", async (t) => {
  t.timeout(SNIPPET_MS * 2);
  const folder = await mkdtemp(join(workshop, "types-"));
  const files = new Map<string, Snippet>();
  for (const snippet of scenarios.flatMap(({ snippets }) => snippets).filter(({ language }) => language === "ts")) {
    const file = join(folder, fileName(snippet));
    await writeFile(file, atPageLines(snippet));
    files.set(file, snippet);
  }
  const configPath = join(root, "test/tsconfig.json");
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(configPath, ts.sys.readFile).config,
    ts.sys,
    join(root, "test"),
  );
  const program = ts.createProgram([...files.keys()], options);
  const messages = [...files].flatMap(([file, { page }]) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map((found) => {
      const line = source?.getLineAndCharacterOfPosition(found.start ?? 0).line ?? 0;
      return `${page}:${line + 1}: ${ts.flattenDiagnosticMessageText(found.messageText, "\n")}`;
    });
  });
  t.deepEqual(messages, []);
  t.pass();
});

const runs = test.macro({
  title: (_, { title }: Scenario) => `${title}, runs as it is written`,
  async exec(t: ExecutionContext, { setup, snippets }: Scenario) {
    t.timeout(SNIPPET_MS * (snippets.length + 1));
    const folder = await mkdtemp(join(workshop, "run-"));
    const more = setup === QUEUE_SETUP ? "incoming" : setup;
    for (const fixtures of more === undefined ? ["base"] : ["base", more]) {
      await cp(join(workshop, "fixtures", fixtures), folder, { recursive: true });
    }
    if (setup === QUEUE_SETUP) {
      const redis = await startRedis(await mkdtemp(join(workshop, "redis-")));
      t.teardown(() => redis[Symbol.asyncDispose]());
      process.env["QUEUE_URL"] = redis.url;
    }
    for (const snippet of snippets) {
      await runSnippet(snippet, folder);
    }
    t.pass();
  },
});

for (const scenario of runnable) {
  test.serial(runs, scenario);
}

async function runSnippet(snippet: Snippet, cwd: string): Promise<void> {
  const file = join(cwd, snippet.file ?? fileName(snippet));
  if (snippet.file !== undefined) {
    await writeFile(file, atPageLines(snippet));
  } else if (snippet.language === "ts") {
    await writeFile(file, atPageLines(snippet));
    await runNode([file], cwd);
  } else if (snippet.language === "python") {
    await writeFile(file, atPageLines(snippet));
    await run("python3", [file], { cwd, timeout: SNIPPET_MS });
  } else if (snippet.language === "sh") {
    for (const command of runnableCommands(snippet.code)) {
      const node = [process.execPath, ...sourceArguments()].map((word) => `'${word}'`).join(" ");
      const main = join(root, "packages/cli/src/main.ts");
      const script = `node() { ${node} "$@"; }\nnpystream() { node '${main}' "$@"; }\n${command}\n`;
      await run("bash", ["-euo", "pipefail", "-c", script], { cwd, timeout: SNIPPET_MS });
    }
  }
}

async function runNode(args: readonly string[], cwd: string): Promise<void> {
  await run(process.execPath, [...sourceArguments(), ...args], { cwd, timeout: SNIPPET_MS });
}

/** Node's arguments that run TypeScript and take the workspace's packages from their sources. */
function sourceArguments(): string[] {
  return ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
}

function fileName({ page, line, language }: Snippet): string {
  return `${page.replaceAll(/[^\w]+/g, "-")}-line-${line}.${language === "python" ? "py" : language}`;
}
