import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import test from "ava";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "npystream-main-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`, main];
/** The command as a shell function. */
const command = `npystream() { ${[process.execPath, ...node].map((word) => `'${word}'`).join(" ")} "$@"; }\n`;
const bash = async (script: string): Promise<{ stdout: string; stderr: string }> =>
  run("bash", ["-c", `cd '${folder}'\n${command}${script}`]);

execFileSync("python3", [
  "-c",
  `
import os, sys
import numpy as np
os.chdir(sys.argv[1])
np.save('small.npy', np.arange(6, dtype=np.uint8).reshape(2, 3))
with open('big.npy', 'wb') as file:
    np.lib.format.write_array_header_1_0(file, {'descr': '<f8', 'fortran_order': False, 'shape': (25_000_000,)})
    file.truncate(file.tell() + 200_000_000)
`,
  folder,
]);

test.serial("the process prints, reads stdin and gives the exit code", async (t) => {
  const { stdout, stderr } = await bash(
    `npystream cat - --csv < small.npy; echo "= $?"
npystream cat no.npy; echo "= $?"
npystream nope; echo "= $?"`,
  );
  t.is(stdout, "0,1,2\n3,4,5\n= 0\n= 1\n= 2\n");
  t.is(stderr, "error ENOENT no.npy: no such file\nerror: unknown command 'nope'\n");
});

test.serial("a reader that stops early is no error", async (t) => {
  const { stdout, stderr } = await bash(
    `for format in '' --csv --ndjson; do npystream cat big.npy $format | head -n 1; echo "= \${PIPESTATUS[0]}"; done
npystream cat big.npy --json | head -c 20; echo " = \${PIPESTATUS[0]}"`,
  );
  t.is(stdout, '0.0\n= 0\n0.0\n= 0\n0.0\n= 0\n{"dtype":"<f8","shap = 0\n');
  t.is(stderr, "");
});

test.serial("memory does not grow with the file", async (t) => {
  t.timeout(60_000);
  // The process says itself how much it took at most, in KiB. What getrusage says is at least what its parent took.
  const report = `
    import { readFileSync } from "node:fs";
    process.on("exit", () => {
      process.stderr.write(/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "latin1"))[1]);
    });`;
  const args = [`--import=data:text/javascript,${encodeURIComponent(report)}`, ...node, "cat", at("big.npy"), "--json"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let bytes = 0;
  let said = "";
  child.stdout.on("data", (chunk: Uint8Array) => {
    bytes += chunk.length;
  });
  child.stderr.on("data", (chunk: Uint8Array) => {
    said += String(chunk);
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  t.is(code, 0);
  t.true(bytes > 100_000_000);
  t.regex(said, /^\d+$/);
  // The process alone takes 110 MiB and memory of chunks that is kept for the next ones up to 100; the file has 191.
  t.true(Number(said) < 260 * 1024, `${said} KiB`);
});

test.serial("on a terminal there are a summary, colours and an ellipsis", async (t) => {
  const program = "import os, pty, sys\nsys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
  const environment = { ...process.env, TERM: "xterm", NO_COLOR: "" };
  const { stdout } = await run("python3", ["-c", program, process.execPath, ...node, "cat", at("big.npy")], {
    env: environment,
  });
  t.is(
    stdout.replaceAll("\r\n", "\n"),
    `\x1b[1m${at("big.npy")}\x1b[22m: float64, shape (25000000,), order C, 190.7 MiB\n[0. 0. 0. ... 0. 0. 0.]\n`,
  );
});
