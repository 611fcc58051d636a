import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, NpyError } from "@npystream/codec";
import type { ResolvedBullmqOptions } from "./bullmq-options.ts";

/** The module, which is there where the program has installed it. */
export type BullmqModule = typeof import("bullmq");

/** What queues, workers and listeners of BullMQ have in common. */
export interface BullmqPart {
  on(event: "error", listener: (error: Error) => void): unknown;
  off(event: "error", listener: (error: Error) => void): unknown;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<unknown>;
  getBackend(): {
    disconnect(): Promise<unknown>;
    disconnectBlocking(wait?: boolean): Promise<unknown>;
    close(force?: boolean): Promise<unknown>;
  };
}

/** How long a connection may take to say goodbye, before it is cut off. */
const CLOSE_MS = 1000;
/** Pause between attempts to connect at the beginning. */
const RETRY_MS = 200;
/**
 * What does not pass by itself: a package that is missing, and of PostgreSQL (appendix A of its manual) a name or password
 * that is wrong (28), a database that there is not (3D), a right that is missing (42).
 */
const LASTING = /could not load|MODULE_NOT_FOUND|^(?:28|3D|42)/;

/**
 * Loads BullMQ.
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE` where it is not installed.
 */
export async function loadBullmq(): Promise<BullmqModule> {
  try {
    return await import("bullmq");
  } catch (cause) {
    const message = "bullmq cannot be loaded; install it beside this package: npm install bullmq, and ioredis or pg";
    throw new NpyError("ERR_QUEUE_UNAVAILABLE", message, { cause });
  }
}

/**
 * Makes one part of BullMQ and waits until it is connected.
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE` where that does not come about in time; the part is then closed.
 */
export async function connectPart<T extends BullmqPart>(make: () => T, options: ResolvedBullmqOptions): Promise<T> {
  return await connectInTime(options, (timeoutMs) => connectOnce(make, timeoutMs));
}

/**
 * Tries to connect as long as there is time.
 *
 * @throws NpyError `ERR_QUEUE_UNAVAILABLE`
 */
export async function connectInTime<T>(
  { server, connectMs, queue }: ResolvedBullmqOptions,
  connect: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + connectMs;
  for (;;) {
    try {
      return await connect(deadline - performance.now());
    } catch (cause) {
      // ioredis goes on by itself; a pool of PostgreSQL fails at once, also while the server is only starting.
      if (isPassing(cause) && performance.now() + RETRY_MS < deadline) {
        await sleep(RETRY_MS);
        continue;
      }
      const message = `the server of the queue ${queue} (${server}) cannot be reached: ${messageOf(cause)}`;
      throw new NpyError("ERR_QUEUE_UNAVAILABLE", message, { cause });
    }
  }
}

async function connectOnce<T extends BullmqPart>(make: () => T, timeoutMs: number): Promise<T> {
  let last: unknown;
  const note = (error: unknown): void => {
    last = error;
  };
  const part = make();
  part.on("error", note);
  const timer = new AbortController();
  try {
    await Promise.race([
      part.waitUntilReady(),
      sleep(timeoutMs, undefined, { signal: timer.signal }).then(() => {
        throw last ?? new Error(`it does not answer`);
      }),
    ]);
  } catch (error) {
    part.getBackend().close(true).catch(note);
    throw error;
  } finally {
    timer.abort();
  }
  part.off("error", note);
  return part;
}

/** Whether it is to be tried again: nobody listens, or PostgreSQL starts or stops, which it tells of in many ways. */
function isPassing(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return !LASTING.test(String(code)) && !LASTING.test(messageOf(error));
}

/** Closes a part, and cuts its connection where that does not come to an end. */
export async function closePart(part: BullmqPart): Promise<void> {
  const timer = new AbortController();
  const closed = part.close().then(
    () => true,
    () => false,
  );
  const isClosed = await Promise.race([closed, sleep(CLOSE_MS, false, { signal: timer.signal }).catch(() => false)]);
  timer.abort();
  if (!isClosed) {
    // A connection that is just being tried again tells nobody of its end, so that no end can be waited for.
    const backend = part.getBackend();
    const cuts = [backend.disconnectBlocking(false), backend.disconnect()].map((cut) => cut.catch(() => undefined));
    await Promise.race([Promise.all(cuts), sleep(CLOSE_MS)]);
  }
}

/** Logs what goes wrong with a connection that is tried again by itself: each trouble once, until something else comes. */
export function logErrors(part: Pick<BullmqPart, "on">, logger: Logger): void {
  let last = "";
  part.on("error", (error) => {
    const message = messageOf(error);
    if (message !== last) {
      last = message;
      // Not the error itself, to which drivers tie the client with all that it was given, a password as well.
      const { code } = error as { readonly code?: unknown };
      logger.warn({ reason: message, code }, "the server of the queue makes trouble; it is tried again");
    }
  });
}

/** What an error says; where several addresses were tried, it has no text of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(messageOf).join(", ");
  }
  return error instanceof Error ? error.message || error.name : String(error);
}
