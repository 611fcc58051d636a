/**
 * Publishes pairs of arrays to a queue on Redis, and has two worker processes work on them.
 *
 *     node examples/dist/two-workers/main.js [--out DIR] [--sets N] [--redis URL]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { discover, distribute } from "@npystream/pipeline-discovery";
import { bullmqEngine } from "@npystream/pipeline-discovery/bullmq";
import { incomingNames, incomingSets, QUEUE } from "./convention.ts";
import { dropPairs } from "./incoming.ts";
import { type Redis, startRedis } from "./redis.ts";

const WORKERS = 2;

const { values } = parseArgs({
  options: {
    out: { type: "string", default: fileURLToPath(new URL("../../two-workers/run", import.meta.url)) },
    sets: { type: "string", default: "60" },
    redis: { type: "string" },
  },
});
const sets = Number(values.sets);
if (!Number.isInteger(sets) || sets < 1) {
  console.error(`--sets is a number from 1, not ${values.sets}`);
  process.exit(2);
}
const [incoming, results, state] = ["incoming", "results", "state"].map((name) => join(values.out, name)) as [
  string,
  string,
  string,
];
await Promise.all([incoming, results, state].map((folder) => mkdir(folder, { recursive: true })));
await dropPairs(incoming, sets);

await using redis: Redis | undefined = values.redis === undefined ? await startRedis(state) : undefined;
const url = values.redis ?? redis?.url ?? "";
const workers = Array.from({ length: WORKERS }, () => startWorker(url));
const found = discover({
  roots: incoming,
  names: incomingNames,
  sets: incomingSets,
  ledger: join(state, "ledger.db"),
  once: true,
});
const result = await distribute(found, bullmqEngine({ queue: QUEUE, connection: url }));
await Promise.all(workers.map(endWorker));
console.log(`${result.done} of ${sets} sets done, ${result.failed} failed; the means are in ${results}`);

/** The worker stands beside this file, as TypeScript in the source and as JavaScript in the build. */
function startWorker(connection: string): ChildProcess {
  const script = join(import.meta.dirname, `worker${extname(import.meta.filename)}`);
  const args = [...process.execArgv, script, connection, incoming, results];
  return spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
}

async function endWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode === null && worker.signalCode === null) {
    worker.kill("SIGTERM");
    await once(worker, "close");
  }
}
