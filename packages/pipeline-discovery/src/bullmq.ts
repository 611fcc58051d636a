/**
 * The job queue BullMQ, on Redis or on PostgreSQL, for `distribute` and `work`. BullMQ is loaded by this entry point alone:
 * `npm install bullmq ioredis`, or `npm install bullmq pg`.
 *
 * @packageDocumentation
 */

export { bullmqEngine } from "./bullmq-engine.ts";
export type { BullmqOptions } from "./bullmq-options.ts";
export type { QueueEngine } from "./queue-engine.ts";
