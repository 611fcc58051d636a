import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@npystream/codec";
import { type BullmqModule, connectInTime, logErrors } from "./bullmq-connection.ts";
import { checkPostgres } from "./bullmq-durability.ts";
import type { ResolvedBullmqOptions } from "./bullmq-options.ts";

/** The server of a queue, as the parts of BullMQ are given it. */
export interface BullmqServer {
  readonly connection: object;
  /** What BullMQ is told beside, where it is not Redis. The types of BullMQ follow from Redis, to which nothing else is bound. */
  readonly backend: [];
  /** Closes what the parts share, when they are closed. */
  close(): Promise<void>;
}

/** The part of a pool of node-postgres that is used here. */
export interface PostgresPool {
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "connect", listener: (client: Pick<PostgresPool, "on">) => void): unknown;
  query(sql: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
}

interface PostgresClient {
  // Arguments as node-postgres has them, which BullMQ passes on.
  query(sql: string, values?: unknown[]): Promise<{ rows: never[]; rowCount: number | null }>;
  release(): void;
}

/** How long the last queries may take when the pool is closed. */
const CLOSE_MS = 1000;

/**
 * Gets a server ready for BullMQ. PostgreSQL is connected, checked, and given BullMQ's tables where it has none.
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`
 */
export async function openServer(
  bullmq: BullmqModule,
  options: ResolvedBullmqOptions,
  logger: Logger,
): Promise<BullmqServer> {
  if (options.server === "redis") {
    return { connection: options.connection, backend: [], close: async () => undefined };
  }
  const pool = await connectInTime(options, async () => createPool(bullmq, options));
  logErrors(pool, logger);
  // A server that stops breaks every connection, and one on which nobody listens for that would end the process.
  pool.on("connect", (client) => client.on("error", () => undefined));
  const close = async (): Promise<void> => {
    await Promise.race([pool.end().catch(() => undefined), sleep(CLOSE_MS)]);
  };
  try {
    await connectInTime(options, () => migrate(bullmq, pool));
    await checkPostgres(pool, options);
  } catch (error) {
    await close();
    throw error;
  }
  return { connection: pool, backend: [bullmq.createPostgresBackend] as unknown as [], close };
}

/**
 * Makes a pool with the driver that BullMQ itself finds. Its own pool has a client of which nobody hears that the server is
 * starting, and which then ends the process (seen with BullMQ 6.7.0 when PostgreSQL was killed and started again).
 */
function createPool({ DEFAULT_SCHEMA }: BullmqModule, { connection }: ResolvedBullmqOptions): PostgresPool {
  const require = createRequire(import.meta.resolve("bullmq"));
  const { Pool } = require("pg") as { readonly Pool: new (config: object) => PostgresPool };
  const { options = "" } = connection;
  return new Pool({ keepAlive: true, ...connection, options: `${options} -c search_path=${DEFAULT_SCHEMA}`.trim() });
}

/** Makes BullMQ's tables, or brings them up to date. Processes that do so at once are kept apart by BullMQ. */
async function migrate({ runMigrations, DEFAULT_SCHEMA }: BullmqModule, pool: PostgresPool): Promise<void> {
  const client = await pool.connect();
  try {
    await runMigrations(client, DEFAULT_SCHEMA);
  } finally {
    client.release();
  }
}
