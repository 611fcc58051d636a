import type { Queue, QueueEvents } from "bullmq";
import { type BullmqModule, type BullmqPart, closePart, connectPart, logErrors } from "./bullmq-connection.ts";
import { checkRedis } from "./bullmq-durability.ts";
import type { ResolvedBullmqOptions } from "./bullmq-options.ts";
import { type BullmqServer, openServer } from "./bullmq-server.ts";
import type { JobState, PublisherContext, QueuePublisher } from "./queue-engine.ts";

/** What every job is called; the sets are told apart by the id. */
const JOB_NAME = "set";
/** How often a job may be tried again is for the worker to say, and it says so by the kind of its error. */
const MOST_ATTEMPTS = 1_000_000;

/** Milliseconds for which news are waited for at once. A process whose server is away lives on for that long when it is told to end. */
const LISTEN_MS = 2000;

interface PublisherParts extends PublisherContext {
  readonly server: BullmqServer;
  readonly queue: Queue;
  readonly events: QueueEvents;
  readonly retentionMs: number;
}

/** Adds sets to a queue of BullMQ, and hears how they end. */
export class BullmqPublisher implements QueuePublisher {
  readonly #server: BullmqServer;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #keep: { readonly age: number };

  private constructor({ server, queue, events, retentionMs, logger, onEnded }: PublisherParts) {
    this.#server = server;
    this.#queue = queue;
    this.#events = events;
    this.#keep = { age: Math.ceil(retentionMs / 1000) };
    logErrors(queue, logger);
    logErrors(events, logger);
    events.on("completed", ({ jobId }) => onEnded(jobId, { kind: "done" }));
    events.on("failed", ({ jobId, failedReason }) => onEnded(jobId, { kind: "failed", reason: failedReason }));
  }

  /** @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE` */
  static async connect(
    bullmq: BullmqModule,
    options: ResolvedBullmqOptions,
    { logger, onEnded }: PublisherContext,
  ): Promise<BullmqPublisher> {
    const { queue: name, server: kind, retentionMs } = options;
    const server = await openServer(bullmq, options, logger);
    const { connection, backend } = server;
    const parts: BullmqPart[] = [];
    try {
      const queue = await connectPart(() => new bullmq.Queue(name, { connection }, ...backend), options);
      parts.push(queue);
      if (kind === "redis") {
        await checkRedis(queue.getBackend(), options);
      }
      const events = await connectPart(
        () => new bullmq.QueueEvents(name, { connection, blockingTimeout: LISTEN_MS }, ...backend),
        options,
      );
      parts.push(events);
      return new BullmqPublisher({ server, queue, events, retentionMs, logger, onEnded });
    } catch (error) {
      await Promise.all(parts.map(closePart));
      await server.close();
      throw error;
    }
  }

  async add(id: string, payload: string): Promise<void> {
    await this.#queue.add(
      JOB_NAME,
      { set: payload },
      {
        jobId: id,
        attempts: MOST_ATTEMPTS,
        // The worker's own strategy.
        backoff: { type: "custom" },
        removeOnComplete: this.#keep,
        removeOnFail: this.#keep,
        stackTraceLimit: 1,
      },
    );
  }

  async look(id: string): Promise<JobState> {
    const state = await this.#queue.getJobState(id);
    if (state === "unknown") {
      return { kind: "unknown" };
    }
    if (state === "completed") {
      return { kind: "done" };
    }
    return state === "failed" ? await this.#lookAtFailed(id) : { kind: "pending" };
  }

  async remove(id: string): Promise<void> {
    await this.#queue.remove(id);
  }

  async close(): Promise<void> {
    await Promise.all([closePart(this.#events), closePart(this.#queue)]);
    await this.#server.close();
  }

  async #lookAtFailed(id: string): Promise<JobState> {
    const job = await this.#queue.getJob(id);
    return job === undefined ? { kind: "unknown" } : { kind: "failed", reason: job.failedReason };
  }
}
