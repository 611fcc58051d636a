import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { runCaptured } from "./run-captured.ts";
import { RunningCommand } from "./start-command.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-work-"));
const at = (...names: string[]): string => join(folder, ...names);
const servers: ChildProcess[] = [];
test.after.always(async () => {
  for (const server of servers) server.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

execFileSync("python3", [
  "-c",
  `
import os, sys
import numpy as np
os.makedirs(sys.argv[1] + '/in')
os.chdir(sys.argv[1] + '/in')
for key in 'a', 'b', 'c', 'poison':
    np.save(f'{key}.features.npy', np.ones((100, 4), np.float32))
    np.save(f'{key}.labels.npy', np.arange(100))
`,
  folder,
]);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Starts a Redis of its own, and gives its URL when it takes connections. */
async function startRedis(...options: string[]): Promise<string> {
  const port = await freePort();
  const dir = mkdtempSync(at("redis-"));
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, ...options]);
  servers.push(server);
  for await (const text of server.stdout) if (String(text).includes("Ready to accept connections")) break;
  server.stdout.resume();
  return `redis://127.0.0.1:${port}`;
}

const WATCH = ["watch", at("in"), "--names", "{key}.{role}.npy", "--roles", "features,labels"];

test("a folder is published to a queue, and a worker that has it elsewhere runs a command for each set", async (t) => {
  t.timeout(90_000);
  const queue = await startRedis("--appendonly", "yes", "--maxmemory-policy", "noeviction");
  const exec = 'echo "$NPYSTREAM_LABELS"; test "$NPYSTREAM_KEY" != poison';
  const options = ["--queue", queue, "--queue-name", "pairs"];
  const root = ["--root", `in=${at("in")}`];
  const worker = new RunningCommand(["work", ...options, ...root, "--attempts", "1", "--exec", exec]);
  const watch = new RunningCommand([...WATCH, "--once", ...options, "--ledger", at("watch.db")]);
  t.is(await watch.end(), 1, watch.stderr);
  const keys = (of: RunningCommand, name: string): unknown[] => {
    return of
      .events()
      .filter(({ event }) => event === name)
      .map(({ key }) => key)
      .sort();
  };
  t.deepEqual(keys(watch, "set"), ["a", "b", "c", "poison"]);
  t.deepEqual(keys(watch, "done"), ["a", "b", "c"]);
  t.deepEqual(keys(watch, "quarantined"), ["poison"]);
  t.true(JSON.stringify(watch.events()).includes("the command ended with exit code 1"));
  worker.child.kill("SIGTERM");
  t.is(await worker.end(), 0, worker.stderr);
  t.deepEqual(keys(worker, "done"), ["a", "b", "c"]);
  t.deepEqual(keys(worker, "failed"), ["poison"]);
  t.true(worker.stderr.includes(`a: ${at("in", "a.labels.npy")}\n`), worker.stderr);
});

test("a Redis that forgets is refused, and the password is not told", async (t) => {
  t.timeout(60_000);
  const url = await startRedis("--appendonly", "no", "--save", "", "--requirepass", "secret");
  const queue = url.replace("redis://", "redis://:secret@");
  const run = await runCaptured([...WATCH, "--once", "--queue", queue]);
  t.is(run.code, 1);
  t.true(run.stderr.startsWith(`error ERR_QUEUE_VOLATILE ${url}`), run.stderr);
  t.false(run.stderr.includes("secret"));
});

const isWrongUse = test.macro({
  title: (_, what: string) => `${what} is wrong use`,
  async exec(t: ExecutionContext, _: string, argv: readonly string[], message: RegExp) {
    const run = await runCaptured(["work", ...argv]);
    t.deepEqual([run.code, run.stdout], [2, ""]);
    t.regex(run.stderr, message);
  },
});
const URL_OPTION = ["--queue", "redis://127.0.0.1:1"];
const HERE = ["--root", `in=${folder}`];
test(isWrongUse, "a command that is none", [...URL_OPTION, "--root", "in=.", "--exec", ""], /--exec is empty/);
test(isWrongUse, "no folder", [...URL_OPTION, "--exec", "true"], /--root/);
test(isWrongUse, "a folder without a name", ["--root", "/in", ...URL_OPTION, "--exec", "true"], /NAME=PATH/);
test(isWrongUse, "a folder that is not there", ["--root", "in=/none", ...URL_OPTION, "--exec", "true"], /roots\.in/);
test(isWrongUse, "no queue", [...HERE, "--exec", "true"], /^error: work needs --queue/);
test(isWrongUse, "no command", [...HERE, ...URL_OPTION], /^error: work needs --queue/);
