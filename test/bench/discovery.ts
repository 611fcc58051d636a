/**
 * Measures what a folder of many files costs to watch: `npm run bench:discovery [-- --files 100000,1000000]`.
 *
 * Each line is a process of its own, against the built packages, that prints its time, peak memory and processor time.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { discover, nameTemplate, openLedger, runStage } from "@npystream/pipeline-discovery";
import { pairBytes, writePair } from "./pair-files.ts";

const FOLDERS = 100;
const names = nameTemplate("{folder}/{key}.{role}.npy");
const sets = {
  roles: { features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

const { values, positionals } = parseArgs({
  options: { files: { type: "string", default: "100000" } },
  allowPositionals: true,
});
const [task = "", root = "", state = ""] = positionals;
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
  while (found.stats().pending > 0 || performance.now() < 10_000) await sleep(500);
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

function makeFiles(folder: string, files: number): void {
  const [features, labels] = pairBytes();
  for (let at = 0; at < FOLDERS; at++) mkdirSync(join(folder, String(at)));
  for (let at = 0; at < files / 2; at++) writePair(join(folder, String(at % FOLDERS)), String(at), features, labels);
}

async function measureAll(): Promise<void> {
  for (const files of values.files.split(",").map(Number)) {
    const [made, kept] = [
      mkdtempSync(join(tmpdir(), "npystream-files-")),
      mkdtempSync(join(tmpdir(), "npystream-ledger-")),
    ];
    try {
      makeFiles(made, files);
      for (const name of Object.keys(tasks)) {
        const line = execFileSync(process.execPath, [...process.execArgv, import.meta.filename, name, made, kept], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "inherit"],
        });
        console.log(`| ${files} | ${name} | ${line.trim()} |`);
      }
      await using opened = await openLedger(join(kept, "ledger.db"), { readOnly: true });
      console.log(`| ${files} | sets in the ledger | ${opened.count().done} done |`);
    } finally {
      rmSync(made, { recursive: true });
      rmSync(kept, { recursive: true });
    }
  }
}

const work = tasks[task];
if (work === undefined) {
  await measureAll();
} else {
  const started = performance.now();
  const result = await work();
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const [ms, megabytes, cpu] = [performance.now() - started, maxRSS / 1024, (userCPUTime + systemCPUTime) / 1e6];
  console.log(`${result} | ${ms.toFixed(0)} ms | ${megabytes.toFixed(0)} MB | ${cpu.toFixed(2)} s`);
}
