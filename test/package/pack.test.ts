import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { npm, type PackedPackage, packPackages } from "./pack-packages.ts";
import { packageFolders, root } from "./workspace.ts";

const run = promisify(execFile);
const CONSUMER_FILES = ["check.ts", "import.js", "require.cjs"];
const TYPESCRIPTS = {
  typescript54: "npm:typescript@5.4",
  typescript59: "npm:typescript@5.9",
  typescript6: "npm:typescript@6",
};

/** A project with nothing but the packed packages, the compilers and Node's types. */
let project = "";
let packed: readonly PackedPackage[] = [];

test.before("the packages are packed and installed in an empty project", async (t) => {
  t.timeout(600_000);
  project = await mkdtemp(join(tmpdir(), "npystream-consumer-"));
  packed = await packPackages(join(project, "tarballs"));
  const tarballs = Object.fromEntries(packed.map(({ name, tarball }) => [name, `file:${tarball}`]));
  const overrides = Object.fromEntries(packed.map(({ name }) => [name, `$${name}`]));
  const rootManifest = await readFile(join(root, "node_modules/@types/node/package.json"), "utf8");
  const nodeTypes = (JSON.parse(rootManifest) as { version: string }).version;
  const manifest = {
    private: true,
    type: "module",
    dependencies: tarballs,
    devDependencies: { ...TYPESCRIPTS, "@types/node": nodeTypes },
    overrides,
  };
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  for (const name of CONSUMER_FILES) {
    await copyFile(join(root, "test/package/consumer", name), join(project, name));
  }
  await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"], project);
});

test.after.always("the project is removed", async () => {
  await rm(project, { recursive: true, force: true });
});

function installed(name: string, ...path: string[]): string {
  return join(project, "node_modules", name, ...path);
}

test("a tarball holds the build, the sources, a readme and the licence, and no tests", async (t) => {
  t.is(packed.length, packageFolders.length);
  for (const { name } of packed) {
    const files = await readdir(installed(name));
    t.deepEqual(
      files.filter((file) => file !== "node_modules").sort(),
      ["LICENSE", "README.md", "dist", "package.json", "src"],
      name,
    );
    const built = await readdir(installed(name, "dist"), { recursive: true });
    t.deepEqual(
      built.filter((file) => !/\.(js|js\.map|d\.ts|d\.ts\.map)$/.test(file)),
      [],
      name,
    );
  }
});

test("a packed manifest names released versions only and the packages agree on them", async (t) => {
  for (const { name } of packed) {
    const text = await readFile(installed(name, "package.json"), "utf8");
    t.notRegex(text, /"(workspace|catalog|file|link):/, name);
    const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
    for (const sibling of packed.filter((other) => other.name in dependencies)) {
      t.is(dependencies[sibling.name], `^${sibling.version}`, `${name} on ${sibling.name}`);
    }
  }
});

const prints = test.macro(async (t: ExecutionContext, file: string, expected: object) => {
  const { stdout } = await run(process.execPath, [file], { cwd: project });
  t.deepEqual(JSON.parse(stdout), expected);
});

const VALUES = [
  [1, 2],
  [3, 4],
];

test("the installed packages import and work together", prints, "import.js", {
  values: VALUES,
  discovery: "function",
  cli: "npystream",
});

test("the installed packages can be required", prints, "require.cjs", {
  values: VALUES,
  functions: ["function", "function", "function"],
  cli: "npystream",
});

test("the installed command prints its version", async (t) => {
  const version = packed.find(({ folder }) => folder === "cli")?.version;
  const command = join(project, "node_modules", ".bin", "npystream");
  const { stdout } = await run(command, ["--version"], { cwd: project, shell: process.platform === "win32" });
  t.is(stdout.trim(), version ?? "no cli package");
});

interface Resolution {
  readonly module: string;
  readonly moduleResolution: string;
}

const NODE16: Resolution = { module: "node16", moduleResolution: "node16" };
const NODENEXT: Resolution = { module: "nodenext", moduleResolution: "nodenext" };
const BUNDLER: Resolution = { module: "es2022", moduleResolution: "bundler" };

const typeChecks = test.macro({
  title: (_, compiler: string, { moduleResolution }: Resolution) =>
    `a consumer type-checks under ${compiler} with moduleResolution ${moduleResolution}`,
  async exec(t: ExecutionContext, compiler: string, resolution: Resolution) {
    t.timeout(300_000);
    const config = join(project, `tsconfig.${compiler}.${resolution.moduleResolution}.json`);
    const compilerOptions = { ...resolution, target: "es2022", lib: ["es2023", "esnext.disposable"], types: ["node"] };
    const strictness = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true };
    const content = { compilerOptions: { ...compilerOptions, ...strictness }, files: ["check.ts"] };
    await writeFile(config, JSON.stringify(content));
    const tsc = installed(compiler, "bin", "tsc");
    const args = [tsc, "-p", config, "--pretty", "false"];
    const result = await run(process.execPath, args, { cwd: project, maxBuffer: 1 << 26 }).catch(
      (error: { stdout?: string }) => error,
    );
    const errors = (result.stdout ?? "").split("\n").filter((line) => /\berror TS\d+/.test(line));
    // What a third party's own types say under an old compiler is not ours to mend.
    const ours = errors.filter((line) => !/^node_modules\/(?!@npystream\/|npystream\/)/.test(line));
    t.deepEqual(ours, []);
  },
});

for (const compiler of Object.keys(TYPESCRIPTS)) {
  test.serial(typeChecks, compiler, NODE16);
  test.serial(typeChecks, compiler, NODENEXT);
  test.serial(typeChecks, compiler, BUNDLER);
}
