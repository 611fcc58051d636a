import type { Logger } from "@npystream/codec";

/**
 * A job queue that carries sets to workers on other machines, as `distribute` and `work` use it. `bullmqEngine` makes one;
 * another queue needs no more than these methods.
 *
 * A job that was added must survive the server and every worker, run at least once, and be kept for a while when it has
 * ended, so that the same set is not run again when it is published again.
 */
export interface QueueEngine {
  /**
   * Connects to add jobs and hear how they end.
   *
   * @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`
   */
  connectPublisher(context: PublisherContext): Promise<QueuePublisher>;
  /**
   * Connects to run jobs, and runs them until it is closed.
   *
   * @throws NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`
   */
  connectConsumer(context: ConsumerContext): Promise<QueueConsumer>;
}

/** What a {@link QueuePublisher} is made with. */
export interface PublisherContext {
  /** Takes what is logged. */
  readonly logger: Logger;
  /** Is told that a job has ended. It is a hint: one may be lost, and one may come twice. */
  readonly onEnded: (id: string, state: EndedJob) => void;
}

/** Adds jobs to a queue, and tells what became of them. */
export interface QueuePublisher {
  /** Adds a job, unless there is one of this id, which then stays as it is. */
  add(id: string, payload: string): Promise<void>;
  /** Looks where a job stands. */
  look(id: string): Promise<JobState>;
  /** Removes a job that has ended, so that it can be added again. One that has not is left. */
  remove(id: string): Promise<void>;
  /** Closes the connection, within seconds even where the server is away. Jobs that were added go on. */
  close(): Promise<void>;
}

/** A job that is over or stands somewhere without more to say of it. */
export interface PlainJob<K extends string> {
  /** What it is. */
  readonly kind: K;
}

/** A job that failed for good. */
export interface FailedJob extends PlainJob<"failed"> {
  /** What it failed with. */
  readonly reason: string;
}

/** A job that failed and is to be run again, by any worker. */
export interface RetriedJob extends PlainJob<"retry"> {
  /** What it failed with. */
  readonly reason: string;
  /** Milliseconds until then. */
  readonly delayMs: number;
}

/** How a job ended: well, or for good not. */
export type EndedJob = PlainJob<"done"> | FailedJob;

/** Where a job stands: there is none, or it waits or runs, or it has ended. */
export type JobState = PlainJob<"unknown"> | PlainJob<"pending"> | EndedJob;

/** What a {@link QueueConsumer} is made with. */
export interface ConsumerContext {
  /** Takes what is logged. */
  readonly logger: Logger;
  /** Jobs that are run at once. */
  readonly concurrency: number;
  /** Runs a job to its end. It does not throw. */
  readonly run: (job: QueueJob) => Promise<JobVerdict>;
  /** Is told what the queue has written down of a job that was run here; nothing comes for one that was lost to another worker. */
  readonly onRecorded: (id: string, verdict: JobVerdict) => void;
}

/** A job in the hands of a worker. */
export interface QueueJob {
  /** Name of the job: the id of the set. */
  readonly id: string;
  /** What was added. */
  readonly payload: string;
  /** Number of this attempt, from 1; only attempts that failed count. */
  readonly attempt: number;
  /** Aborts when the job was given to another worker, because this one did not renew its lease in time. */
  readonly lease: AbortSignal;
}

/** What is to become of a job that was run; `released` gives it back as if it had never been taken. */
export type JobVerdict = EndedJob | RetriedJob | PlainJob<"released">;

/** Runs jobs of a queue. */
export interface QueueConsumer {
  /** Takes no more jobs. Those that are running go on. */
  pause(): void;
  /** Ends, within seconds even where the server is away. No job may be running any more. */
  close(): Promise<void>;
}
