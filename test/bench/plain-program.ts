import { basename, join } from "node:path";
import { build } from "esbuild";
import { root } from "../package/workspace.ts";

/**
 * Makes one JavaScript file of a program in TypeScript, and gives its path: what is measured is then a plain Node, without the 40 MB and
 * the second that a loader of TypeScript takes. Packages stay as they are, and are found from there.
 */
export async function plainProgram(path: string): Promise<string> {
  const outfile = join(root, "node_modules/.cache/npystream-bench", `${basename(path, ".ts")}.mjs`);
  await build({
    entryPoints: [path],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
  });
  return outfile;
}
