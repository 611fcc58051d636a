/** Packs the packages and has publint and attw look at the tarballs; exit 1 when either finds fault. Part of `pnpm check`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packPackages } from "./pack-packages.ts";
import { root } from "./workspace.ts";

const destination = mkdtempSync(join(tmpdir(), "npystream-lint-"));
try {
  for (const { folder, name, tarball } of await packPackages(destination)) {
    console.log(`\n${name}`);
    check("publint/src/cli.js", ["run", tarball, "--strict"]);
    // The cli package exports a command and no module, so there are no types to look at.
    if (folder !== "cli") {
      check("@arethetypeswrong/cli/dist/index.js", [tarball, "--profile", "esm-only"]);
    }
  }
} finally {
  rmSync(destination, { recursive: true, force: true });
}

function check(script: string, args: readonly string[]): void {
  const { status } = spawnSync(process.execPath, [join(root, "node_modules", script), ...args], { stdio: "inherit" });
  if (status !== 0) {
    process.exitCode = 1;
  }
}
