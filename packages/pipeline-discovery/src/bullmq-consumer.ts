import type { Job, Processor, Worker, WorkerOptions } from "bullmq";
import { type BullmqModule, closePart, connectPart, logErrors } from "./bullmq-connection.ts";
import { checkRedis } from "./bullmq-durability.ts";
import type { ResolvedBullmqOptions } from "./bullmq-options.ts";
import { type BullmqServer, openServer } from "./bullmq-server.ts";
import type { ConsumerContext, JobVerdict, QueueConsumer } from "./queue-engine.ts";

/** Seconds for which an idle worker waits for a job before it asks anew. */
const IDLE_SECONDS = 5;
/** Milliseconds until what the server could not do is tried again. */
const RETRY_MS = 1000;

/** Tells BullMQ that a job is to be tried again, and when. */
class RetryError extends Error {
  readonly delayMs: number;

  constructor(reason: string, delayMs: number) {
    super(reason);
    // PostgreSQL takes whole milliseconds only.
    this.delayMs = Math.ceil(delayMs);
    // BullMQ keeps the stack with the job; the message says what there is to know.
    this.stack = reason;
  }
}

/** Runs sets of a queue of BullMQ. */
export class BullmqConsumer implements QueueConsumer {
  readonly #worker: LeavableWorker;
  readonly #server: BullmqServer;

  private constructor(worker: LeavableWorker, server: BullmqServer) {
    this.#worker = worker;
    this.#server = server;
  }

  /** @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE` */
  static async connect(
    bullmq: BullmqModule,
    options: ResolvedBullmqOptions,
    context: ConsumerContext,
  ): Promise<BullmqConsumer> {
    const { queue: name, server: kind, lockMs, maxStalledCount } = options;
    const { logger, concurrency, run, onRecorded } = context;
    const server = await openServer(bullmq, options, logger);
    const { connection, backend } = server;
    const leases = new Map<string, AbortController>();
    const process = async (job: Job, token?: string): Promise<null> => {
      const id = job.id ?? "";
      const lease = new AbortController();
      leases.set(id, lease);
      try {
        const payload = String((job.data as { readonly set?: unknown }).set);
        const verdict = await run({ id, payload, attempt: job.attemptsMade + 1, lease: lease.signal });
        return await conclude(bullmq, job, token, verdict);
      } finally {
        leases.delete(id);
      }
    };
    const workerOptions: WorkerOptions = {
      connection,
      concurrency,
      autorun: false,
      lockDuration: lockMs,
      stalledInterval: lockMs,
      maxStalledCount,
      drainDelay: IDLE_SECONDS,
      runRetryDelay: RETRY_MS,
      settings: {
        backoffStrategy: (_made, _type, error) => (error instanceof RetryError ? error.delayMs : RETRY_MS),
      },
    };
    const makeWorker = (): LeavableWorker => createWorker(bullmq, name, process, workerOptions, ...backend);
    let worker: LeavableWorker | undefined;
    try {
      worker = await connectPart(makeWorker, options);
      if (kind === "redis") {
        await checkRedis(worker.getBackend(), options);
      }
    } catch (error) {
      await (worker === undefined ? undefined : closePart(worker));
      await server.close();
      throw error;
    }
    logErrors(worker, logger);
    worker.on("lockRenewalFailed", (ids) => {
      for (const id of ids) {
        leases.get(id)?.abort(new Error("the lease of the set is over"));
      }
    });
    worker.on("completed", ({ id }) => onRecorded(id ?? "", { kind: "done" }));
    worker.on("failed", (job, error) => {
      const verdict = recordedFailure(error);
      if (job !== undefined && verdict !== undefined) {
        onRecorded(job.id ?? "", verdict);
      }
    });
    worker.run().catch((error: unknown) => logger.error({ err: error }, "the worker has ended"));
    return new BullmqConsumer(worker, server);
  }

  pause(): void {
    // Not waited for: jobs that are running go on.
    void this.#worker.pause(true);
  }

  async close(): Promise<void> {
    await closePart(this.#worker);
    await this.#worker.leave();
    await this.#server.close();
  }
}

/** A worker that can be left behind: one that is closed while its server is away renews leases for ever. */
interface LeavableWorker extends Worker {
  /** Stops what goes on by timers. */
  leave(): Promise<void>;
}

type WorkerArguments = [name: string, process: Processor, options: WorkerOptions];

function createWorker({ Worker }: BullmqModule, ...args: WorkerArguments): LeavableWorker {
  return new (class extends Worker {
    async leave(): Promise<void> {
      await this.lockManager.close();
    }
  })(...args);
}

async function conclude(bullmq: BullmqModule, job: Job, token: string | undefined, verdict: JobVerdict): Promise<null> {
  if (verdict.kind === "done") {
    return null;
  }
  if (verdict.kind === "retry") {
    throw new RetryError(verdict.reason, verdict.delayMs);
  }
  if (verdict.kind === "failed") {
    const error = new bullmq.UnrecoverableError(verdict.reason);
    error.stack = verdict.reason;
    throw error;
  }
  // One whose lease is over is another worker's already, and one that cannot be given back comes free with its lease.
  await job.moveToWait(token).catch(() => undefined);
  throw new bullmq.WaitingError();
}

function recordedFailure(error: Error): JobVerdict | undefined {
  if (error instanceof RetryError) {
    return { kind: "retry", reason: error.message, delayMs: error.delayMs };
  }
  return error.name === "UnrecoverableError" ? { kind: "failed", reason: error.message } : undefined;
}
