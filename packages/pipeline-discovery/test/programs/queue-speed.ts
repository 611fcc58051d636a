/**
 * Measures sets a second through a stage that does nothing, from the listing of the folder to the last acknowledgement in the
 * ledger, with so many worker processes.
 *
 *     node --conditions=@npystream/source --import=tsx packages/pipeline-discovery/test/programs/queue-speed.ts SERVER WORKERS SETS
 *
 * SERVER is `redis` or `postgres`, or `none` for `runStage` in this process. Of Redis it is also told how much memory a set
 * takes that is done.
 */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeNpy, NdArray } from "@npystream/codec";
import { bullmqEngine } from "../../src/bullmq.ts";
import { discover, distribute, nameTemplate, runStage, work } from "../../src/index.ts";
import { makeFolder, removeFolders } from "../helpers/incoming.ts";
import { startPostgres, startRedis } from "../helpers/queue-servers.ts";

const CONCURRENCY = 32;
const [server = "redis", workers = "1", sets = "10000", connection = "", root = ""] = process.argv.slice(2);

if (root === "") {
  await measure(Number(workers), Number(sets));
} else {
  process.send?.("ready");
  await work(bullmqEngine({ queue: "speed", connection }), () => undefined, {
    roots: { in: root },
    concurrency: CONCURRENCY,
    stopOn: ["SIGTERM"],
  });
}

async function measure(workerCount: number, setCount: number): Promise<void> {
  const folder = makeFolder();
  const bytes = encodeNpy(NdArray.zeros("float32", [1]));
  bytes.set([1], bytes.length - 1);
  for (let at = 0; at < setCount; at++) {
    await writeFile(join(folder, `${at}.npy`), bytes);
  }
  const found = discover({
    roots: folder,
    names: nameTemplate("{key}.npy"),
    sets: { roles: { x: {} } },
    ledger: join(makeFolder(), "ledger.db"),
    once: true,
  });
  const seconds = await (server === "none" ? inThisProcess(found) : onQueue(found, workerCount, folder));
  console.log(`${server}, ${workerCount} workers: ${Math.round(setCount / seconds)} sets a second`);
  removeFolders();
}

async function inThisProcess(found: ReturnType<typeof discover>): Promise<number> {
  const started = performance.now();
  await runStage(found, () => undefined, { concurrency: CONCURRENCY });
  return (performance.now() - started) / 1000;
}

async function onQueue(found: ReturnType<typeof discover>, workerCount: number, folder: string): Promise<number> {
  await using queue = await (server === "postgres" ? startPostgres : startRedis)(makeFolder());
  const args = [server, "0", "0", queue.url, folder];
  const children = Array.from({ length: workerCount }, () => fork(import.meta.filename, args));
  await Promise.all(children.map((child) => once(child, "message")));
  const memory = server === "redis" ? usedMemory(queue.url) : 0;
  const started = performance.now();
  const result = await distribute(found, bullmqEngine({ queue: "speed", connection: queue.url }));
  const seconds = (performance.now() - started) / 1000;
  if (result.failed > 0) {
    throw new Error(JSON.stringify(result));
  }
  if (server === "redis") {
    console.log(`${Math.round((usedMemory(queue.url) - memory) / result.done)} bytes of Redis a set that is done`);
  }
  await Promise.all(
    children.map(async (child) => {
      child.kill("SIGTERM");
      await once(child, "close");
    }),
  );
  return seconds;
}

function usedMemory(url: string): number {
  const text = execFileSync("redis-cli", ["-u", url, "info", "memory"], { encoding: "utf8" });
  return Number(/^used_memory:(\d+)/m.exec(text)?.[1]);
}
