import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The parts of a package.json that the tests look at. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The root of the checkout, with a separator at its end. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** The folders below `packages/`, in the order of dependence. */
export const packageFolders = ["codec", "writer-stream", "reader-stream", "pipeline-discovery", "cli"] as const;

/** The folder of a published package. */
export type PackageFolder = (typeof packageFolders)[number];

/** Reads the manifest of a package. */
export function readManifest(folder: PackageFolder): Manifest {
  return JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8")) as Manifest;
}

/** Lists the files below a folder of the checkout that end in `suffix`, with `/` between folders; none where it is missing. */
export function listFiles(folder: string, suffix: string): string[] {
  try {
    return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join("/"))
      .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
      .sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return [];
    }
    throw error;
  }
}

/** Reads a file of the checkout as text. */
export function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
