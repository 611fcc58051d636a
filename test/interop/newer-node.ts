import { execFileSync } from "node:child_process";

/** The first major version of Node that has Float16Array. */
const MAJOR = 24;

/** Gives the path of a Node that has Float16Array: this one, or one that npm installs into its cache the first time. */
export function newerNode(): string {
  if (Number.parseInt(process.versions.node, 10) >= MAJOR) return process.execPath;
  const command = ["-y", "-p", `node@${MAJOR}`, "node", "-p", "process.execPath"];
  return execFileSync("npx", command, { encoding: "utf8" }).trim();
}
