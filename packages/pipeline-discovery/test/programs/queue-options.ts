import type { BullmqOptions } from "../../src/bullmq.ts";

/** What the programs that distribute and work are told, as JSON. */
export interface QueueProgramOptions {
  readonly engine: BullmqOptions;
  readonly root: string;
  readonly out: string;
  /** Where the distributor keeps its ledger; without one it remembers nothing. */
  readonly ledger?: string;
  readonly maxPublished?: number;
  /** Milliseconds that the stage takes beside the reading and writing. */
  readonly workMs?: number;
  readonly concurrency?: number;
  readonly attempts?: number;
  /** Key of a set that the stage always fails with. */
  readonly poison?: string;
}
