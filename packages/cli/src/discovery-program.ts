import { resolve } from "node:path";
import { isNpyError } from "@npystream/codec";
import type { LedgerState } from "@npystream/pipeline-discovery";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { CommandIo } from "./command-io.ts";
import { parseCount, parseDuration } from "./duration.ts";
import { LEDGER_HELP, WATCH_HELP, WORK_HELP } from "./help-text.ts";
import type { LedgerAction, LedgerCommandOptions } from "./ledger-command.ts";
import type { Session } from "./session.ts";
import { OutputError } from "./text-output.ts";
import type { WatchOptions } from "./watch-command.ts";
import type { WorkCommandOptions } from "./work-command.ts";

const LEDGER_ACTIONS: readonly LedgerAction[] = ["list", "requeue", "forget", "prune"];
const LEDGER_STATES: readonly LedgerState[] = ["pending", "ready", "claimed", "done", "failed", "quarantined"];
const INCOMPLETE_MS = 300_000;

/** Adds the commands that work on watched folders. What they do is loaded when one of them runs. */
export function addDiscoveryCommands(program: Command, io: CommandIo, session: Session): void {
  const watch = program
    .command("watch")
    .summary("tell of each set of arrays that comes into a folder, or run a command")
    .description(
      "Watches a folder for arrays that belong together, and prints a line for each set that is complete, or runs a command for it.",
    )
    .argument("<DIR>", "the folder")
    .requiredOption("--names <template>", "how files are named, as {key}.{role}.npy or {key}.npz")
    .option("--roles <a,b>", "the arrays of a set: what {role} stands for, or the members of an .npz")
    .option("--contract <json>", "dtypes and shapes by role, or a file of them");
  addQueueOptions(addWorkOptions(watch))
    .option("--root-name <name>", "what workers of the queue call the folder", "in")
    .option("--ledger <file>", "keep what has become of each set in this file")
    .option("--pipeline <name>", "name of the sets in the ledger")
    .option("--once", "end when all that is there has had its turn")
    .addOption(
      new Option("--completion <mode>", "when a file is complete")
        .choices(["content", "marker", "rename-only"])
        .default("content"),
    )
    .addOption(countOption("--settle-ms <n>", "how long a file that may be preallocated must rest", 0).default(2000))
    .addOption(
      new Option("--incomplete-after <time>", "tell of sets that are incomplete for so long")
        .argParser(parseDuration)
        .default(INCOMPLETE_MS, "5m"),
    )
    .addOption(new Option("--hints <mode>", "none for network file systems").choices(["auto", "none"]).default("auto"))
    .addHelpText("after", WATCH_HELP)
    .action(async (folder: string, options: WatchOptions) => {
      await attempt(session, { path: folder, ledger: options.ledger, queue: options.queue }, async () => {
        const command = await import("./watch-command.ts");
        await command.watch(folder, options, io, session);
      });
    });
  const work = program
    .command("work")
    .summary("run a command for sets that watch --queue publishes")
    .description("Runs a command for each set that npystream watch --queue publishes, on this or another machine.")
    .addOption(
      new Option("--root <name=path>", "where this machine has a folder that is watched; again for each")
        .argParser(addRoot)
        .makeOptionMandatory(),
    );
  addQueueOptions(addWorkOptions(work))
    .addHelpText("after", WORK_HELP)
    .action(async (options: WorkCommandOptions) => {
      await attempt(session, { path: "queue", queue: options.queue }, async () => {
        const command = await import("./work-command.ts");
        await command.work(options, io, session);
      });
    });
  program
    .command("ledger")
    .summary("look into a ledger, and mend it")
    .description("Lists the sets that a ledger knows, or has them delivered again, or removes them from it.")
    .argument("<FILE>", "the ledger that watch was given")
    .addArgument(new Argument("<ACTION>", "what to do").choices(LEDGER_ACTIONS))
    .addOption(new Option("--state <a,b>", `only sets in these states`).argParser(parseStates))
    .option("--key <key>", "only sets of this key")
    .option("--pipeline <name>", "only sets of this pipeline")
    .option("--id <sha256>", "only this set; eight digits are enough")
    .option("--all", "every set of the ledger")
    .addOption(new Option("--older-than <time>", "in their state for so long, as 30d").argParser(parseDuration))
    .option("--json", "print a JSON document a line")
    .addHelpText("after", LEDGER_HELP)
    .action(async (path: string, action: LedgerAction, options: LedgerCommandOptions) => {
      await attempt(session, { path, ledger: path }, async () => {
        const command = await import("./ledger-command.ts");
        await command.ledger(path, action, options, io, session.output);
      });
    });
}

/** The options of every command that works on sets. */
function addWorkOptions(command: Command): Command {
  return command
    .option("--exec <command>", "run this in the shell for each set")
    .addOption(countOption("--concurrency <n>", "sets that are worked on at once", 1).default(1))
    .addOption(countOption("--attempts <n>", "attempts at a set, after which it is quarantined", 1).default(5))
    .addOption(new Option("--timeout <time>", "how long an attempt may take, as 90s").argParser(parseDuration))
    .addOption(countOption("--drain-ms <n>", "how long commands may go on after a signal", 0).default(20_000))
    .option("--json", "print JSON lines, also on a terminal");
}

function countOption(flags: string, description: string, least: number): Option {
  return new Option(flags, description).argParser((text) => parseCount(text, least));
}

function parseStates(text: string): LedgerState[] {
  const states = text.split(",").map((state) => state.trim());
  const known = LEDGER_STATES.filter((state) => states.includes(state));
  if (known.length !== states.length) throw new InvalidArgumentError(`States are ${LEDGER_STATES.join(", ")}.`);
  return known;
}

function addQueueOptions(command: Command): Command {
  return command
    .option("--queue <url>", "a queue on Redis or PostgreSQL, as redis://host:6379 or postgres://host/database")
    .option("--queue-name <name>", "name of the queue, one for each kind of work", "npystream")
    .option("--allow-volatile", "also a Redis that forgets what it is told when it is killed");
}

function addRoot(text: string, before: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError("It is NAME=PATH, as in=/mnt/in.");
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** What a command works on, of which failures name one. */
interface Places {
  readonly path: string;
  readonly ledger?: string | undefined;
  readonly queue?: string | undefined;
}

/** Does something, and tells of its failure with what that is about. */
async function attempt(session: Session, { path, ledger, queue }: Places, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof OutputError) throw error;
    const isLedger = ledger !== undefined && isNpyError(error) && error.path === resolve(ledger);
    const isQueue = queue !== undefined && isNpyError(error) && error.code.startsWith("ERR_QUEUE_");
    await session.fail({ path: isLedger ? ledger : isQueue ? withoutPassword(queue) : path }, error);
  }
}

function withoutPassword(queue: string): string {
  const url = new URL(queue);
  url.password = "";
  return url.href;
}
