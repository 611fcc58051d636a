import { work as workOn } from "@npystream/pipeline-discovery";
import type { CommandIo } from "./command-io.ts";
import { EventOutput } from "./event-output.ts";
import { runView } from "./run-view.ts";
import type { Session } from "./session.ts";
import { checkCommand } from "./set-command.ts";
import { runLogger, SetRun } from "./set-run.ts";
import { StopSignals } from "./stop-signals.ts";
import { UsageError } from "./usage-error.ts";
import { openQueue, type QueueOptions, stageOptions, type WorkOptions } from "./work-options.ts";

/** What `npystream work` was asked for. */
export interface WorkCommandOptions extends WorkOptions, Partial<QueueOptions> {
  /** Folders of this machine by the names that they have in the queue. */
  readonly root: Readonly<Record<string, string>>;
}

/**
 * Runs a command for each set of a queue, until it is stopped by a signal.
 *
 * @throws UsageError where the options cannot be; NpyError `ERR_QUEUE_UNAVAILABLE`, `ERR_QUEUE_VOLATILE`; OutputError.
 */
export async function work(options: WorkCommandOptions, io: CommandIo, session: Session): Promise<void> {
  const { queue, exec, root, json = false } = options;
  if (queue === undefined || exec === undefined) throw new UsageError("work needs --queue URL and --exec COMMAND");
  checkCommand(exec);
  const engine = await openQueue(queue, options);
  const events = new EventOutput({
    io,
    session,
    json,
    listsSets: false,
    view: (): readonly string[] => runView(run, stop.stop.aborted),
  });
  using stop = new StopSignals((name) => events.note(`${name}: commands have ${options.drainMs} ms to end`));
  const environment = io.environment ?? process.env;
  const run = new SetRun({ events, stop, exec, place: "work", environment });
  try {
    const logger = runLogger(events);
    await workOn(engine, run.stage, { ...stageOptions(options), roots: root, logger, signal: stop.stop });
    run.throwIfFailed();
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error });
    throw error;
  } finally {
    await run.settled();
    await events.close();
  }
}
