import { type ChildProcess, spawn } from "node:child_process";
import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import type { BullmqOptions } from "../src/bullmq.ts";
import { openLedger } from "../src/index.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { PythonProducer } from "./helpers/python-producer.ts";
import { startPostgres, startRedis } from "./helpers/queue-servers.ts";
import type { QueueProgramOptions } from "./programs/queue-options.ts";

/** Rounds of `kill -9` in each of the random tests: `NPYSTREAM_KILLS=100 npx ava …` for a long run. */
const KILLS = Number(process.env["NPYSTREAM_KILLS"] ?? 3);
const ROWS = 2000;

const python = new PythonProducer();
const children = new Set<ChildProcess>();
const SERVERS = { Redis: startRedis, PostgreSQL: startPostgres };
type ServerKind = keyof typeof SERVERS;

test.after.always(async () => {
  for (const child of children) {
    child.kill("SIGKILL");
  }
  await python[Symbol.asyncDispose]();
  removeFolders();
});

/** A process of one of the programs, with what it said. */
interface Program {
  readonly child: ChildProcess;
  readonly lines: string[];
}

function start(name: "queue-worker" | "queue-distributor", options: QueueProgramOptions): Program {
  const program = join(import.meta.dirname, "programs", `${name}.ts`);
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
  const child = spawn(process.execPath, [...node, program, JSON.stringify(options)], {
    // What is logged of the troubles that are made here is of no interest.
    stdio: ["ignore", "pipe", process.env["NPYSTREAM_VERBOSE"] === undefined ? "ignore" : "inherit"],
  });
  children.add(child);
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => lines.push(...text.split("\n").filter(Boolean)));
  return { child, lines };
}

async function closed({ child }: Program): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, "close");
  }
  children.delete(child);
}

async function kill(program: Program): Promise<void> {
  program.child.kill("SIGKILL");
  await closed(program);
}

/** Ends a worker as a deployment does, and gives what it counted. */
async function end(program: Program): Promise<Record<string, unknown>> {
  program.child.kill("SIGTERM");
  await closed(program);
  return resultOf(program);
}

function resultOf({ lines }: Program): Record<string, unknown> {
  return JSON.parse(lines.at(-1) ?? "null") as Record<string, unknown>;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await sleep(5);
  }
}

async function setUp(kind: ServerKind, sets: number, more: Partial<BullmqOptions & QueueProgramOptions> = {}) {
  const server = await SERVERS[kind](makeFolder());
  const [root, out, state] = [makeFolder(), makeFolder(), makeFolder()];
  await python.run(`for i in range(${sets}): pair("${root}", i, ${ROWS} + i)`);
  const { lockMs = 500, maxStalledCount = 1000, ...options } = more;
  const engine = { queue: randomUUID(), connection: server.url, lockMs, maxStalledCount };
  return { server, options: { engine, root, out, ledger: join(state, "ledger.db"), ...options } };
}

/** Every set has exactly its one right result, nothing else is there, and the ledger says so too. */
async function check(t: ExecutionContext, { out, ledger = "" }: QueueProgramOptions, sets: number): Promise<void> {
  await python.run(`
names = sorted(os.listdir("${out}"))
assert names == sorted(f"{i}.doubled.npy" for i in range(${sets})), names
for i in range(${sets}):
    assert (np.load(f"${out}/{i}.doubled.npy") == features(${ROWS} + i) * 2).all(), i`);
  await using opened = await openLedger(ledger, { readOnly: true });
  t.deepEqual(opened.count(), { pending: 0, ready: 0, claimed: 0, done: sets, failed: 0, quarantined: 0 });
}

const workerKilled = test.macro({
  title: (_, kind: ServerKind) => `what a killed worker worked on is done by another, on ${kind}`,
  async exec(t: ExecutionContext, kind: ServerKind) {
    t.timeout(120_000);
    const { server, options } = await setUp(kind, 10, { workMs: 100 });
    await using _ = server;
    const distributor = start("queue-distributor", options);
    const first = start("queue-worker", options);
    await until(() => first.lines.length > 0);
    await kill(first);
    const begun = first.lines.filter((line) => line.startsWith("start")).length;
    const finished = first.lines.filter((line) => line.startsWith("end")).length;
    t.true(begun > finished, "it was killed in the middle of a set");
    const second = start("queue-worker", options);
    await closed(distributor);
    t.like(resultOf(distributor), { done: 10, failed: 0 });
    const { done } = await end(second);
    t.true(Number(done) >= 10 - finished && Number(done) <= 10);
    await check(t, options, 10);
  },
});

test.serial(workerKilled, "Redis");

test.serial("a worker that is stopped past its lease and woken does no harm: each result is there once", async (t) => {
  t.timeout(120_000);
  const { server, options } = await setUp("Redis", 6, { workMs: 200 });
  await using _ = server;
  const distributor = start("queue-distributor", options);
  const sleeper = start("queue-worker", options);
  await until(() => sleeper.lines.length > 1);
  sleeper.child.kill("SIGSTOP");
  const other = start("queue-worker", options);
  await closed(distributor);
  t.like(resultOf(distributor), { done: 6, failed: 0 });
  sleeper.child.kill("SIGCONT");
  await sleep(300);
  const counts = [await end(sleeper), await end(other)].map(({ done }) => Number(done));
  t.is((counts[0] ?? 0) + (counts[1] ?? 0), 6, "a set whose lease was lost does not count");
  t.true((counts[1] ?? 0) >= 4, "what the other was stopped with was done here");
  await check(t, options, 6);
});

const serverKilled = test.macro({
  title: (_, kind: ServerKind) => `a server and a worker that are killed and started again lose nothing, on ${kind}`,
  async exec(t: ExecutionContext, kind: ServerKind) {
    t.timeout(120_000);
    const { server, options } = await setUp(kind, 30, { workMs: 40, lockMs: 500 });
    await using _ = server;
    const [distributor, worker] = [start("queue-distributor", options), start("queue-worker", options)];
    await until(() => worker.lines.filter((line) => line.startsWith("end")).length >= 3);
    await server.kill();
    await sleep(300);
    await server.start();
    const before = worker.lines.length;
    await until(() => worker.lines.length > before + 6);
    await kill(worker);
    const other = start("queue-worker", options);
    await closed(distributor);
    t.like(resultOf(distributor), { done: 30, failed: 0 });
    await end(other);
    await check(t, options, 30);
  },
});

test.serial(serverKilled, "Redis");
test.serial(serverKilled, "PostgreSQL");

test.serial("a worker and a distributor end when they are told to, also while the server is away", async (t) => {
  t.timeout(60_000);
  const { server, options } = await setUp("Redis", 4, { workMs: 400, concurrency: 1 });
  await using _ = server;
  const programs = [start("queue-distributor", options), start("queue-worker", options)];
  await until(() => programs[1]?.lines.length === 1);
  await server.kill();
  for (const result of await Promise.all(programs.map(end))) {
    t.like(result, { aborted: true });
  }
});

const randomKills = test.macro({
  title: (_, kind: ServerKind) =>
    `${KILLS} kills of workers, distributors and the server at any time lose nothing, ${kind}`,
  async exec(t: ExecutionContext, kind: ServerKind) {
    t.timeout(60_000 + KILLS * 20_000);
    const sets = 20 + KILLS * 4;
    const { server, options } = await setUp(kind, sets, { workMs: 40, maxPublished: 15 });
    await using _ = server;
    const programs = {
      distributor: start("queue-distributor", options),
      first: start("queue-worker", options),
      second: start("queue-worker", options),
    };
    for (let round = 0; round < KILLS; round++) {
      await sleep(randomInt(1200, 2500));
      const victim = (["distributor", "first", "second", "server"] as const)[round % 4] ?? "server";
      if (victim === "server") {
        await server.kill();
        await server.start();
      } else {
        await kill(programs[victim]);
        programs[victim] = start(victim === "distributor" ? "queue-distributor" : "queue-worker", options);
      }
    }
    await closed(programs.distributor);
    t.like(resultOf(programs.distributor), { failed: 0, aborted: false });
    await Promise.all([end(programs.first), end(programs.second)]);
    await check(t, options, sets);
  },
});

test.serial(randomKills, "Redis");
if (KILLS > 3) {
  test.serial(randomKills, "PostgreSQL");
}
