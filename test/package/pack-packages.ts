import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type PackageFolder, packageFolders, readManifest, root } from "./workspace.ts";

const run = promisify(execFile);

/** A package packed as it would be published. */
export interface PackedPackage {
  readonly folder: PackageFolder;
  readonly name: string;
  readonly version: string;
  /** Path of the tarball. */
  readonly tarball: string;
}

/** Builds the packages and packs each into `destination` with the pinned pnpm, which resolves `workspace:` and `catalog:`. */
export async function packPackages(destination: string): Promise<PackedPackage[]> {
  await mkdir(destination, { recursive: true });
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/cli"], { cwd: root });
  const packed: PackedPackage[] = [];
  for (const folder of packageFolders) {
    const { name, version } = readManifest(folder);
    await npx(["-y", pinnedPnpm(), "pack", "--pack-destination", destination], join(root, "packages", folder));
    const tarball = join(destination, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
    packed.push({ folder, name, version, tarball });
  }
  return packed;
}

/** Runs npm in `cwd`; `npm` is a script on POSIX and a batch file on Windows. */
export async function npm(args: readonly string[], cwd: string): Promise<string> {
  return command("npm", args, cwd);
}

async function npx(args: readonly string[], cwd: string): Promise<string> {
  return command("npx", args, cwd);
}

async function command(name: "npm" | "npx", args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run(name, args, {
    cwd,
    env: outsideEnvironment(),
    shell: process.platform === "win32",
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout;
}

/** What `npm test` puts into the environment for its own project must not steer the npm of another one. */
function outsideEnvironment(): NodeJS.ProcessEnv {
  const kept =
    /^npm_config_(registry|cache|userconfig|globalconfig|proxy|https_proxy|noproxy|cafile|offline|prefer_offline)$/i;
  const entries = Object.entries(process.env).filter(([key]) => {
    return kept.test(key) || !/^(npm_|pnpm_|NODE_OPTIONS$|INIT_CWD$)/i.test(key);
  });
  return Object.fromEntries(entries);
}

/** `packageManager` holds `pnpm@version+hash`; npx takes `pnpm@version`. */
function pinnedPnpm(): string {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { packageManager: string };
  return manifest.packageManager.replace(/\+.*$/, "");
}
