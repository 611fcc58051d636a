import { isBuiltin } from "node:module";
import { basename, join, posix } from "node:path";
import test, { type ExecutionContext } from "ava";
import ts from "typescript";
import { listFiles, type PackageFolder, packageFolders, readManifest, readText, root } from "./package/workspace.ts";

/** The direction of dependence between the packages, as the design fixes it. */
const MAY_USE: Readonly<Record<PackageFolder, readonly PackageFolder[]>> = {
  codec: [],
  "writer-stream": ["codec"],
  "reader-stream": ["codec"],
  "pipeline-discovery": ["codec", "reader-stream", "writer-stream"],
  cli: ["codec", "reader-stream", "writer-stream", "pipeline-discovery"],
};

/** What only pipeline-discovery may depend on: the watcher, the queue client, the ledger's drivers and the logger. */
const DISCOVERY_ONLY = ["chokidar", "bullmq", "libsql", "pino"];

const MAX_LINES = 300;
const ERROR_CODE = /\bERR_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?![_*$])/g;

const names = new Map(packageFolders.map((folder) => [readManifest(folder).name, folder]));

function sourcesOf(folder: PackageFolder): string[] {
  return listFiles(`packages/${folder}/src`, ".ts");
}

const sources = packageFolders.flatMap(sourcesOf);

function importsOf(path: string): string[] {
  return ts.preProcessFile(readText(path), true, true).importedFiles.map((file) => file.fileName);
}

/** `@npystream/codec/sub` and `fflate/browser` are the packages `@npystream/codec` and `fflate`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function dependenciesOf(folder: PackageFolder): string[] {
  const { dependencies, peerDependencies, optionalDependencies } = readManifest(folder);
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
}

const manifestFits = test.macro({
  title: (_, folder: PackageFolder) => `the manifest and references of ${folder} keep to the direction of dependence`,
  exec(t: ExecutionContext, folder: PackageFolder) {
    const allowed: readonly string[] = MAY_USE[folder];
    for (const dependency of dependenciesOf(folder)) {
      const sibling = names.get(dependency);
      t.true(sibling === undefined || allowed.includes(sibling), `${folder} depends on ${dependency}`);
      const reserved = DISCOVERY_ONLY.includes(dependency) && folder !== "pipeline-discovery";
      t.false(reserved, `${dependency} belongs to pipeline-discovery, not to ${folder}`);
    }
    const config = JSON.parse(readText(`packages/${folder}/tsconfig.json`)) as { references?: { path: string }[] };
    for (const { path } of config.references ?? []) {
      t.true(allowed.includes(basename(path)), `the tsconfig of ${folder} refers to ${path}`);
    }
    t.pass();
  },
});

const importsFit = test.macro({
  title: (_, folder: PackageFolder) => `the sources of ${folder} import only what its manifest and place allow`,
  exec(t: ExecutionContext, folder: PackageFolder) {
    const declared = dependenciesOf(folder);
    const files = sourcesOf(folder);
    t.not(files.length, 0);
    for (const file of files) {
      for (const specifier of importsOf(file)) {
        const where = `${file} imports ${specifier}`;
        if (specifier.startsWith(".")) {
          const target = posix.join(posix.dirname(file), specifier);
          t.true(files.includes(target), `${where}: no source file of the package by that name`);
        } else if (isBuiltin(specifier)) {
          t.true(specifier.startsWith("node:"), `${where} without node:`);
          t.not(folder, "codec", where);
        } else {
          t.true(declared.includes(packageOf(specifier)), `${where}, which its manifest does not declare`);
        }
      }
    }
  },
});

for (const folder of packageFolders) {
  test(manifestFits, folder);
  test(importsFit, folder);
}

test("codec depends on fflate alone", (t) => {
  t.deepEqual(dependenciesOf("codec"), ["fflate"]);
});

function compileWithCodecSettings(extra: Readonly<Record<string, string>>): string[] {
  const folder = join(root, "packages/codec");
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(folder, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    folder,
  );
  const virtual = new Map(Object.entries(extra).map(([name, text]) => [join(folder, "src", name), text]));
  const host = ts.createCompilerHost(config.options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists.call(host, path);
  host.readFile = (path) => virtual.get(path) ?? readFile.call(host, path);
  host.getSourceFile = (path, options, ...rest) => {
    const text = virtual.get(path);
    return text === undefined
      ? getSourceFile.call(host, path, options, ...rest)
      : ts.createSourceFile(path, text, options);
  };
  const rootNames = virtual.size === 0 ? config.fileNames : [...virtual.keys()];
  const program = ts.createProgram(rootNames, { ...config.options, noEmit: true }, host);
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => {
    return `TS${diagnostic.code} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}`;
  });
}

const PROBES: Readonly<Record<string, string>> = {
  "an import of node:fs": 'import { readFileSync } from "node:fs";\nexport const probe: unknown = readFileSync;\n',
  "the global Buffer": "export const probe: unknown = Buffer.alloc(1);\n",
  "the global process": "export const probe: unknown = process.env;\n",
};

const refusesProbe = test.macro({
  title: (_, what: string) => `codec does not compile with ${what}`,
  exec(t: ExecutionContext, what: string) {
    t.timeout(120_000);
    const diagnostics = compileWithCodecSettings({ "probe.ts": PROBES[what] ?? "" });
    t.is(diagnostics.length, 1, diagnostics.join("\n"));
    t.regex(diagnostics[0] ?? "", /^TS(2307|2580|2591) Cannot find (module|name) /);
  },
});

test("codec compiles without Node's types", (t) => {
  t.timeout(120_000);
  t.deepEqual(compileWithCodecSettings({}), []);
  t.deepEqual(compileWithCodecSettings({ "probe.ts": "export const probe: unknown = new Uint8Array(1);\n" }), []);
});

for (const what of Object.keys(PROBES)) {
  test(refusesProbe, what);
}

test("no source file imports itself through others", (t) => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      cycles.push([...path.slice(seenAt), file].join(" -> "));
    } else if (!done.has(file)) {
      for (const specifier of importsOf(file).filter((name) => name.startsWith("."))) {
        visit(posix.join(posix.dirname(file), specifier), [...path, file]);
      }
      done.add(file);
    }
  };
  for (const file of sources) {
    visit(file, []);
  }
  t.deepEqual(cycles, []);
});

test("no source file is a drawer for what has no home", (t) => {
  t.deepEqual(
    sources.filter((file) => /^(utils?|helpers?|common|misc|shared)\.ts$/.test(basename(file))),
    [],
  );
});

test("source files are named in kebab-case and stay under 300 lines", (t) => {
  for (const file of sources) {
    t.regex(basename(file), /^[a-z0-9]+(-[a-z0-9]+)*\.ts$/, file);
    const lines = readText(file).trimEnd().split("\n").length;
    t.true(lines <= MAX_LINES, `${file} has ${lines} lines`);
  }
});

test("every index.ts is an explicit list of exports and nothing else", (t) => {
  for (const file of sources.filter((path) => basename(path) === "index.ts")) {
    const { statements } = ts.createSourceFile(file, readText(file), ts.ScriptTarget.ES2023);
    for (const statement of statements) {
      const listed =
        ts.isExportDeclaration(statement) &&
        statement.exportClause !== undefined &&
        ts.isNamedExports(statement.exportClause);
      t.true(listed, `${file}: ${readText(file).slice(statement.pos, statement.end).trim()}`);
    }
  }
  t.pass();
});

function codesIn(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => text.match(ERROR_CODE) ?? []))].sort();
}

test("every error code of the sources is a heading of docs/errors.md and the reverse", (t) => {
  const headings = readText("docs/errors.md")
    .split("\n")
    .filter((line) => line.startsWith("#"));
  t.deepEqual(codesIn(headings), codesIn(sources.map(readText)));
});

test("every error code of the sources is provoked by name in a test", (t) => {
  const tests = [...packageFolders.map((folder) => `packages/${folder}/test`), "test"].flatMap((folder) => [
    ...listFiles(folder, ".ts"),
    ...listFiles(folder, ".json"),
  ]);
  const provoked = codesIn(tests.map(readText));
  const missing = codesIn(sources.map(readText)).filter((code) => !provoked.includes(code));
  t.deepEqual(missing, []);
});
