import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { lifeOf, mayBeAlive, ownLife } from "../src/process-life.ts";

test("this process and its parent are alive", (t) => {
  t.true(mayBeAlive(ownLife()));
  t.true(mayBeAlive({ ...ownLife(), pid: process.ppid, start: "0" }));
});

test("a process that was killed is dead, also while its parent has not noticed", async (t) => {
  // The shell stops itself before it could wait for its child, which stays a zombie.
  const shell = spawn("sh", ["-c", "sleep 60 & echo $!; kill -STOP $$"], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(shell.stdout, "data");
  const life = lifeOf(Number(String(line)));
  t.not(life.start, "0");
  t.true(mayBeAlive(life));
  process.kill(life.pid, "SIGKILL");
  // The system takes a moment to end it.
  for (let i = 0; i < 1000 && mayBeAlive(life); i++) await sleep(2);
  t.false(mayBeAlive(life));
  t.notThrows(() => process.kill(life.pid, 0));
  shell.kill("SIGKILL");
  await once(shell, "exit");
});

test("another run under the same number is another process", (t) => {
  t.false(mayBeAlive({ ...ownLife(), start: "0badc0ffee" }));
});

test("of a process on another machine nothing is known", (t) => {
  t.true(mayBeAlive({ machine: "0123456789", pid: 2 ** 22 + 1, start: "0" }));
  t.false(mayBeAlive({ ...ownLife(), pid: 2 ** 22 + 1 }));
});

test("the machine is told by its installation, not by a name alone that two may have", (t) => {
  const namespace = readlinkSync("/proc/self/ns/pid");
  const byName = createHash("sha256").update(`${hostname()} ${namespace} `).digest("hex").slice(0, 10);
  const hasId = existsSync("/etc/machine-id") && readFileSync("/etc/machine-id", "utf8").trim() !== "";
  t.is(ownLife().machine !== byName, hasId);
});
