import type { QueueEngine, StageOptions } from "@npystream/pipeline-discovery";
import { asWrongUse } from "./watch-contract.ts";

/** Options of every command that works on sets. */
export interface WorkOptions {
  /** Command for each set. */
  readonly exec?: string;
  /** Sets that are worked on at once. */
  readonly concurrency: number;
  /** Attempts at a set, after which it is quarantined. */
  readonly attempts: number;
  /** Milliseconds that one attempt may take. */
  readonly timeout?: number;
  /** Milliseconds that sets have after a signal. */
  readonly drainMs: number;
  /** One JSON document a line, also on a terminal. */
  readonly json?: boolean;
}

/** Which queue sets are published in and taken from. */
export interface QueueOptions {
  /** URL of the server. */
  readonly queue: string;
  readonly queueName: string;
  /** Whether to use a server that forgets. */
  readonly allowVolatile?: boolean;
}

/** The options of a stage that the command line gives. */
export function stageOptions({ concurrency, attempts, timeout, drainMs }: WorkOptions): StageOptions {
  return {
    concurrency,
    drainMs,
    retry: { attempts },
    ...(timeout === undefined ? {} : { timeoutMs: timeout }),
  };
}

/**
 * Makes the engine of a queue, which connects when it is used.
 *
 * @throws UsageError where there is no such queue.
 */
export async function openQueue(url: string, options: Partial<QueueOptions>): Promise<QueueEngine> {
  const { queueName = "npystream", allowVolatile = false } = options;
  const { bullmqEngine } = await import("@npystream/pipeline-discovery/bullmq");
  return asWrongUse(() => bullmqEngine({ queue: queueName, connection: url, allowVolatile }));
}
