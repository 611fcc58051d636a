/** One measurement of `discovery.ts`: `discovery-side.ts TASK ROOT STATE`, or without a task their names. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { discover, nameTemplate, runStage } from "@npystream/pipeline-discovery";
import { pairBytes, writePair } from "./pair-files.ts";

const names = nameTemplate("{folder}/{key}.{role}.npy");
const sets = {
  roles: { features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

const [task = "", root = "", state = ""] = process.argv.slice(2);
const ledger = join(state, "ledger.db");

const tasks: Readonly<Record<string, () => Promise<string>>> = {
  "every set once, no ledger": () => drain({}),
  "every set once through a no-op stage": () => runNothing({}),
  "every set once through a no-op stage, with a ledger": () => runNothing({ ledger }),
  "a restart with everything done": () => drain({ ledger }),
  "a minute of sweeps where nothing happens": sweepNothing,
  "200 files a second for 10 s": deliver,
};

async function drain(options: { readonly ledger?: string }): Promise<string> {
  let count = 0;
  await using found = discover({ roots: root, names, sets, once: true, ...options });
  for await (const set of found) {
    await set.ack();
    count += 1;
  }
  return `${count} sets`;
}

async function runNothing(options: { readonly ledger?: string }): Promise<string> {
  const started = performance.now();
  const found = discover({ roots: root, names, sets, once: true, ...options });
  const { done } = await runStage(found, () => undefined, { concurrency: 64 });
  return `${done} sets, ${Math.round((done / (performance.now() - started)) * 1000)} a second`;
}

async function sweepNothing(): Promise<string> {
  await using found = discover({ roots: root, names, sets, ledger, hints: "none" });
  const next = found[Symbol.asyncIterator]().next();
  // Until what a restart has to do is over.
  for (let busy = true; busy; ) {
    const before = process.cpuUsage();
    await sleep(2000);
    const { user, system } = process.cpuUsage(before);
    busy = user + system > 100_000;
  }
  const before = process.cpuUsage();
  await sleep(60_000);
  const { user, system } = process.cpuUsage(before);
  await found.close();
  await next;
  return `${((user + system) / 1000).toFixed(0)} ms of processor time`;
}

async function deliver(): Promise<string> {
  const incoming = mkdtempSync(join(state, "incoming-"));
  mkdirSync(join(incoming, "a"));
  const [features, labels] = pairBytes();
  const written = new Map<string, number>();
  const delays: number[] = [];
  await using found = discover({ roots: incoming, names, sets, ledger: join(state, "delivery.db") });
  const taken = (async () => {
    for await (const set of found) {
      delays.push(performance.now() - (written.get(String(set.fields["key"])) ?? Number.NaN));
      await set.ack();
      if (delays.length === 1001) return;
    }
  })();
  await sleep(500);
  const started = performance.now();
  for (let i = 0; i <= 1000; i++) {
    await sleep(Math.max(0, started + i * 10 - performance.now()));
    writePair(join(incoming, "a"), String(i), features, labels);
    written.set(String(i), performance.now());
  }
  await taken;
  delays.shift();
  delays.sort((a, b) => a - b);
  const at = (share: number): string => (delays[Math.floor(delays.length * share)] ?? Number.NaN).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms after the last byte`;
}

const work = tasks[task];
if (work === undefined) {
  console.log(JSON.stringify(Object.keys(tasks)));
} else {
  const started = performance.now();
  const result = await work();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const [ms, megabytes, cpu] = [performance.now() - started, maxRSS / 1024, (userCPUTime + systemCPUTime) / 1e6];
  console.log(`${result} | ${ms.toFixed(0)} ms | ${megabytes.toFixed(0)} MB | ${cpu.toFixed(2)} s`);
}
