import { loadBullmq } from "./bullmq-connection.ts";
import { BullmqConsumer } from "./bullmq-consumer.ts";
import { type BullmqOptions, resolveBullmqOptions } from "./bullmq-options.ts";
import { BullmqPublisher } from "./bullmq-publisher.ts";
import type { QueueEngine } from "./queue-engine.ts";

/**
 * Carries sets through a queue of BullMQ, on Redis or on PostgreSQL.
 *
 * Nothing is connected before `distribute` or `work` use it, and each use has connections of its own. A server that is
 * away at the beginning is `ERR_QUEUE_UNAVAILABLE` after `connectMs`; one that goes away later is connected again.
 * Redis must keep an append-only file and remove nothing when it is full, else it is refused with `ERR_QUEUE_VOLATILE`:
 * `redis-server --appendonly yes --maxmemory-policy noeviction`.
 *
 * @example
 * const engine = bullmqEngine({ queue: 'digits', connection: 'redis://queue-host:6379' });
 *
 * @throws TypeError, RangeError for options that cannot be.
 */
export function bullmqEngine(options: BullmqOptions): QueueEngine {
  const resolved = resolveBullmqOptions(options);
  return {
    connectPublisher: async (context) => await BullmqPublisher.connect(await loadBullmq(), resolved, context),
    connectConsumer: async (context) => await BullmqConsumer.connect(await loadBullmq(), resolved, context),
  };
}
