import { execFile } from "node:child_process";
import { promisify } from "node:util";
import test from "ava";
import { bullmqEngine } from "../src/bullmq.ts";
import { distribute, work } from "../src/index.ts";
import { makeFolder, removeFolders } from "./helpers/incoming.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";
import { DURABLE, freePort, startPostgres, startRedis } from "./helpers/queue-servers.ts";

test.after.always(removeFolders);

const run = promisify(execFile);
const logger = new MemoryLogger();

/** A discovery that finds nothing. */
async function* nothing(): AsyncGenerator<never> {}

const refuses = test.macro({
  title: (_, flags: readonly string[]) => `Redis with ${flags.join(" ") || "its default configuration"} is refused`,
  async exec(t, flags: readonly string[], reason: RegExp) {
    await using redis = await startRedis(makeFolder(), flags);
    const options = { queue: "q", connection: redis.url };
    const error = await t.throwsAsync(distribute(nothing(), bullmqEngine(options), { logger }), {
      code: "ERR_QUEUE_VOLATILE",
    });
    t.regex(error.message, reason);
    await t.throwsAsync(
      work(bullmqEngine(options), () => undefined, { roots: { in: makeFolder() }, logger }),
      {
        code: "ERR_QUEUE_VOLATILE",
      },
    );
    const result = await distribute(nothing(), bullmqEngine({ ...options, allowVolatile: true }), { logger });
    t.deepEqual(result, { published: 0, known: 0, done: 0, failed: 0, changed: 0, released: 0, aborted: false });
  },
});

test(refuses, [], /appendonly yes/);
test(refuses, ["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"], /is allkeys-lru/);

test("Redis that keeps everything is taken, by a URL and by options", async (t) => {
  await using redis = await startRedis(makeFolder(), DURABLE);
  const { port } = new URL(redis.url);
  for (const connection of [redis.url, { host: "127.0.0.1", port: Number(port) }]) {
    const result = await distribute(nothing(), bullmqEngine({ queue: "q", connection }), { logger });
    t.is(result.aborted, false);
  }
});

test("PostgreSQL that does not flush is refused, and its tables are made by themselves", async (t) => {
  t.timeout(60_000);
  await using postgres = await startPostgres(makeFolder(), ["-c", "fsync=off"]);
  const options = { queue: "q", connection: postgres.url };
  const error = await t.throwsAsync(distribute(nothing(), bullmqEngine(options), { logger }), {
    code: "ERR_QUEUE_VOLATILE",
  });
  t.regex(error.message, /fsync is off/);
  const result = await distribute(nothing(), bullmqEngine({ ...options, allowVolatile: true }), { logger });
  t.is(result.published, 0);
});

const away = test.macro({
  title: (_, scheme: string) => `a server that is not there is an error within a bounded time, ${scheme}`,
  async exec(t, scheme: string) {
    const engine = bullmqEngine({
      queue: "q",
      connection: `${scheme}://127.0.0.1:${await freePort()}`,
      connectMs: 1000,
    });
    const error = await t.throwsAsync(distribute(nothing(), engine, { logger }), { code: "ERR_QUEUE_UNAVAILABLE" });
    t.regex(error.message, /ECONNREFUSED/);
    await t.throwsAsync(
      work(engine, () => undefined, { roots: { in: makeFolder() }, logger }),
      {
        code: "ERR_QUEUE_UNAVAILABLE",
      },
    );
  },
});

test(away, "redis");
test(away, "postgres");

test("a program without bullmq is told what to install", async (t) => {
  const hooks = `export async function resolve(name, context, next) {
    if (name === "bullmq") throw new Error("there is no bullmq");
    return next(name, context);
  }`;
  const url = `data:text/javascript,${encodeURIComponent(hooks)}`;
  const register = `import { register } from "node:module"; register(${JSON.stringify(url)});`;
  const program = `
    import { distribute } from ${JSON.stringify(import.meta.resolve("../src/index.ts"))};
    import { bullmqEngine } from ${JSON.stringify(import.meta.resolve("../src/bullmq.ts"))};
    const engine = bullmqEngine({ queue: "q", connection: "redis://127.0.0.1:1" });
    await distribute((async function* () {})(), engine).catch(({ code, message }) => console.log(code, message));`;
  const node = ["--conditions=@npystream/source", `--import=${import.meta.resolve("tsx")}`];
  const args = [`--import=data:text/javascript,${encodeURIComponent(register)}`, "--input-type=module", "-e", program];
  const { stdout } = await run(process.execPath, [...node, ...args]);
  t.regex(stdout, /^ERR_QUEUE_UNAVAILABLE .*npm install bullmq/);
});

const wrong = test.macro({
  title: (what) => `bullmqEngine refuses ${what}`,
  exec(t, options: object, message: RegExp) {
    t.throws(() => bullmqEngine({ queue: "q", connection: "redis://host", ...options }), { message });
  },
});

test("an option that there is not", wrong, { prefix: "x" }, /prefix/);
test("a queue with a colon", wrong, { queue: "a:b" }, /colon/);
test("a URL of something else", wrong, { connection: "amqp://host" }, /redis:/);
test("no URL", wrong, { connection: "host:6379" }, /redis:/);
test("a connection that is none", wrong, { connection: 7 }, /connection/);
test("a server that it does not know", wrong, { server: "mysql" }, /server/);
test("a lease that any pause would end", wrong, { lockMs: 10 }, /lockMs/);
test("giving up a set after fewer than three deaths", wrong, { maxStalledCount: 2 }, /maxStalledCount/);
