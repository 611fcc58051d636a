import { stat } from "node:fs/promises";
import { type DiscoverOptions, type Discovery, discover, distribute, runStage } from "@npystream/pipeline-discovery";
import type { CommandIo } from "./command-io.ts";
import { EventOutput } from "./event-output.ts";
import { runView } from "./run-view.ts";
import type { Session } from "./session.ts";
import { checkCommand, commandVariables } from "./set-command.ts";
import { incompleteEvent, quarantinedEvent, type SetEvent } from "./set-event.ts";
import { runLogger, SetRun } from "./set-run.ts";
import { StopSignals } from "./stop-signals.ts";
import { UsageError } from "./usage-error.ts";
import { asWrongUse, readContract, readTemplate } from "./watch-contract.ts";
import { openQueue, type QueueOptions, stageOptions, type WorkOptions } from "./work-options.ts";

/** What `npystream watch` was asked for. */
export interface WatchOptions extends WorkOptions, Partial<QueueOptions> {
  /** Template of the files' names. */
  readonly names: string;
  /** Roles, between commas. */
  readonly roles?: string;
  /** JSON of dtypes and shapes by role, or the path of a file with it. */
  readonly contract?: string;
  /** File that keeps what has become of each set. */
  readonly ledger?: string;
  /** Name of the sets in the ledger. */
  readonly pipeline?: string;
  /** End when everything that is there has had its turn. */
  readonly once?: boolean;
  readonly completion: "content" | "marker" | "rename-only";
  readonly settleMs: number;
  /** Milliseconds after which a set that is not complete is told of. */
  readonly incompleteAfter: number;
  readonly hints: "auto" | "none";
  /** What workers of a queue call the folder. */
  readonly rootName: string;
}

/**
 * Tells of each set of arrays that comes into a folder, or runs a command for it, until it is stopped by a signal, or with
 * `once` until all that is there has had its turn.
 *
 * @throws UsageError where the options cannot be; NpyError those of the ledger; system errors; OutputError.
 */
export async function watch(folder: string, options: WatchOptions, io: CommandIo, session: Session): Promise<void> {
  const { once = false, exec, json = false, queue, drainMs } = options;
  if (queue !== undefined && exec !== undefined) {
    throw new UsageError("--exec goes with the workers of a queue: npystream work --queue URL --exec COMMAND");
  }
  if (exec !== undefined) checkCommand(exec);
  const names = readTemplate(options.names);
  const sets = await readContract(options.roles, options.contract);
  const fieldNames = names.fieldNames.filter((name) => name !== "role");
  if (exec !== undefined) commandVariables(Object.keys(sets.roles), fieldNames);
  const isThere: boolean = await stat(folder).then(
    (found) => found.isDirectory() || Promise.reject(new UsageError(`${folder} is a file, not a folder`)),
    (error: unknown) => (once ? Promise.reject(error) : false),
  );
  let found: Discovery | undefined;
  const view = (): readonly string[] => (found === undefined ? [] : runView(run, stop.stop.aborted, found));
  const events = new EventOutput({ io, session, json, listsSets: exec === undefined && queue === undefined, view });
  using stop = new StopSignals((name) => {
    if (run.runningCount === 0) return;
    void events.note(`${name}: sets under way have ${drainMs} ms to end; again to end them now`).catch(() => undefined);
  });
  const place = options.queue === undefined ? "here" : "publish";
  const run = new SetRun({ events, stop, exec, place, environment: io.environment ?? process.env });
  const tell = (event: SetEvent): void => void events.emit(event).catch((error: unknown) => run.fail(error));
  const logger = runLogger(events);
  let hasLeftovers = false;
  try {
    found = asWrongUse(() =>
      discover({
        ...discoverOptions(options),
        roots: folder,
        names,
        sets,
        logger,
        onQuarantine: (set) => {
          hasLeftovers = true;
          tell(quarantinedEvent(set));
        },
        onUnmatched: () => {
          hasLeftovers = true;
        },
        onIncomplete: { afterMs: options.incompleteAfter, onReport: (set) => tell(incompleteEvent(set)) },
      }),
    );
    if (!isThere) await events.note(`${folder} does not exist yet; it is waited for`);
    const result =
      queue === undefined
        ? await runStage(run.observe(found), run.stage, { ...stageOptions(options), logger, signal: stop.stop })
        : await distribute(run.observe(found), await openQueue(queue, options), {
            roots: { [options.rootName]: folder },
            logger,
            signal: stop.stop,
          });
    run.throwIfFailed();
    // Later the end is what was asked for; a run over what is there has not done its work where some of it is left.
    if (once && (hasLeftovers || result.aborted)) session.exitCode = 1;
  } finally {
    await run.settled();
    await events.close();
  }
}

function discoverOptions(options: WatchOptions): Omit<DiscoverOptions, "roots" | "names" | "sets"> {
  const { once = false, completion, settleMs, hints, ledger, pipeline } = options;
  return {
    once,
    completion,
    settleMs,
    hints,
    ...(ledger === undefined ? {} : { ledger }),
    ...(pipeline === undefined ? {} : { pipeline }),
  };
}
