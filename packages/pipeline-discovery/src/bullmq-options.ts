import { checkOptionKeys } from "@npystream/codec";
import { checkChoice, checkCount, checkMilliseconds } from "./option-checks.ts";

/** Which queue {@link bullmqEngine} uses, and how. Distributors and workers of a queue should be given the same. */
export interface BullmqOptions {
  /** Name of the queue, one for each stage. It holds no `:`. */
  readonly queue: string;
  /**
   * The server: a URL that begins with `redis:`, `rediss:`, `postgres:` or `postgresql:`, or an object of the options that
   * ioredis or, with `server: 'postgresql'`, a pool of node-postgres takes. BullMQ's tables are in the schema `bullmq`.
   */
  readonly connection: string | Readonly<Record<string, unknown>>;
  /** What the server is. @defaultValue what the URL says, else `'redis'` */
  readonly server?: "redis" | "postgresql";
  /**
   * Milliseconds for which a worker that cannot renew its lease keeps a set; then another one gets it. A worker renews it
   * every half of that, as long as its event loop runs.
   *
   * @defaultValue 30,000
   */
  readonly lockMs?: number;
  /** How often a set may be taken from a worker that died or stood still, before it counts as failed; at least 3. @defaultValue 5 */
  readonly maxStalledCount?: number;
  /**
   * Milliseconds for which the queue remembers sets that have ended, at least. A set that is published again after that runs
   * again, so that it should be no shorter than ledgers are kept, and than a distributor may be down.
   *
   * @defaultValue 7 days
   */
  readonly retentionMs?: number;
  /** Milliseconds to wait for the server at the beginning. @defaultValue 10,000 */
  readonly connectMs?: number;
  /** Whether to use a server that forgets jobs when it is killed or full. @defaultValue `false` */
  readonly allowVolatile?: boolean;
}

/** Options with their defaults, checked. */
export interface ResolvedBullmqOptions {
  readonly queue: string;
  readonly server: "redis" | "postgresql";
  /** Options of the client. */
  readonly connection: Readonly<Record<string, unknown>>;
  readonly lockMs: number;
  readonly maxStalledCount: number;
  readonly retentionMs: number;
  readonly connectMs: number;
  readonly allowVolatile: boolean;
}

const KNOWN_OPTIONS = [
  "queue",
  "connection",
  "server",
  "lockMs",
  "maxStalledCount",
  "retentionMs",
  "connectMs",
  "allowVolatile",
];

const SCHEMES: Readonly<Record<string, "redis" | "postgresql">> = {
  "redis:": "redis",
  "rediss:": "redis",
  "postgres:": "postgresql",
  "postgresql:": "postgresql",
};
const DAY_MS = 86_400_000;
/** A worker dies with a deployment, and with a machine, and with its neighbour's memory; the set is not to blame for that. */
const LEAST_STALLED_COUNT = 3;
/** Shorter leases are lost to a garbage collection. */
const LEAST_LOCK_MS = 100;
/** Wait before a connection to Redis is tried again: twice as long each time, up to two seconds. */
const RECONNECT_MS = { first: 50, longest: 2000 };

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError, RangeError for options that cannot be.
 */
export function resolveBullmqOptions(options: BullmqOptions): ResolvedBullmqOptions {
  checkOptionKeys("bullmqEngine", options, KNOWN_OPTIONS);
  const { queue, connection, lockMs = 30_000, maxStalledCount = 5, retentionMs = 7 * DAY_MS } = options;
  const { connectMs = 10_000, allowVolatile = false } = options;
  if (typeof queue !== "string" || queue === "" || queue.includes(":")) {
    throw new TypeError(`queue must be a name without a colon, not ${JSON.stringify(queue)}`);
  }
  checkMilliseconds("lockMs", lockMs);
  if (lockMs < LEAST_LOCK_MS) {
    throw new RangeError(`lockMs must be at least ${LEAST_LOCK_MS}, not ${lockMs}`);
  }
  checkCount("maxStalledCount", maxStalledCount, LEAST_STALLED_COUNT);
  checkCount("retentionMs", retentionMs, 1000);
  checkMilliseconds("connectMs", connectMs);
  const server = options.server ?? serverOf(connection);
  checkChoice("server", server, ["redis", "postgresql"]);
  const byOptions = typeof connection === "string" ? urlOptions(connection, server) : connection;
  if (typeof byOptions !== "object" || byOptions === null) {
    throw new TypeError("connection must be a URL, or an object of options of the client");
  }
  return {
    queue,
    server,
    connection:
      server === "redis" ? redisOptions(byOptions, connectMs) : { connectionTimeoutMillis: connectMs, ...byOptions },
    lockMs,
    maxStalledCount,
    retentionMs,
    connectMs,
    allowVolatile,
  };
}

function serverOf(connection: BullmqOptions["connection"]): "redis" | "postgresql" {
  if (typeof connection !== "string") {
    return "redis";
  }
  const scheme = URL.canParse(connection) ? new URL(connection).protocol : "";
  const server = SCHEMES[scheme];
  if (server === undefined) {
    throw new TypeError(`connection must be a URL that begins with one of ${Object.keys(SCHEMES).join(", ")}`);
  }
  return server;
}

function urlOptions(url: string, server: "redis" | "postgresql"): Readonly<Record<string, unknown>> {
  return server === "redis" ? { url } : { connectionString: url };
}

function redisOptions(
  options: Readonly<Record<string, unknown>>,
  connectMs: number,
): Readonly<Record<string, unknown>> {
  const { first, longest } = RECONNECT_MS;
  return {
    connectTimeout: connectMs,
    retryStrategy: (times: number) => Math.min(longest, first * 2 ** Math.min(times, 10)),
    ...options,
  };
}
