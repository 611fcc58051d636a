import { readFileSync } from "node:fs";
import { isNpyError } from "@npystream/codec";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type CatOptions, cat } from "./cat-command.ts";
import type { CommandIo } from "./command-io.ts";
import type { ConvertOptions } from "./convert-command.ts";
import { parseConvertTarget } from "./convert-target.ts";
import { convertedText } from "./convert-text.ts";
import { addDiscoveryCommands } from "./discovery-program.ts";
import { parseFileReference } from "./file-reference.ts";
import { CAT_HELP, CONVERT_HELP, INSPECT_HELP, PROGRAM_HELP, STATS_HELP, VERIFY_HELP } from "./help-text.ts";
import { type InspectOptions, inspect } from "./inspect-command.ts";
import { interruptible } from "./interruptible.ts";
import { parseRowRange, type RowRange } from "./row-range.ts";
import { type ExitCode, Session } from "./session.ts";
import type { StatsOptions } from "./stats-command.ts";
import { OutputError } from "./text-output.ts";
import { type VerifyOptions, verify } from "./verify-command.ts";

const DEFAULT_HELP_COLUMNS = 80;
/** Stands before `-#member`, which commander would take for an option. No argument of a process has this character. */
const STDIN_MARK = "\0";

/**
 * Runs the command with the arguments behind its name and gives its exit code.
 *
 * Failures are told on `io.stderr`; nothing is thrown. A reader of the output that goes away, as `head` does, is no failure.
 *
 * @example
 * process.exitCode = await run(["inspect", "features.npy"], process);
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  const session = new Session(io);
  try {
    const marked = argv.map((argument) => (argument.startsWith("-#") ? STDIN_MARK + argument : argument));
    await createProgram(io, session).parseAsync(marked, { from: "user" });
    await session.output.flush();
    return session.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof OutputError && error.isClosed) return session.exitCode;
    try {
      await session.fail({ path: "stdout" }, error);
    } catch {
      // Neither output takes anything: the exit code is all that is left to say it with.
    }
    return 1;
  }
}

function createProgram(io: CommandIo, session: Session): Command {
  const program = new Command("npystream")
    .description("Looks into NumPy's .npy and .npz files, of any size.")
    .version(readVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [COMMAND]", "print help on a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns || DEFAULT_HELP_COLUMNS,
      getErrHelpWidth: () => DEFAULT_HELP_COLUMNS,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText("after", PROGRAM_HELP);
  program
    .command("inspect")
    .summary("print what the files hold: dtype, shape, order, sizes")
    .description(
      "Prints dtype, shape, order, format version, data offset and sizes of each array, and of the members of an .npz how they are stored. Reads headers only.",
    )
    .argument("<FILE...>", "files, file.npz#member, or - for stdin")
    .option("--json", "print a JSON document a line and file")
    .addHelpText("after", INSPECT_HELP)
    .action(async (files: string[], options: InspectOptions) => {
      for (const [index, text] of files.entries()) {
        const reference = await parseFileReference(text.replace(STDIN_MARK, ""));
        const onFailure = (error: unknown, member: string) => session.fail(reference, error, member);
        await session.attempt(reference, () =>
          inspect(reference, { ...options, separator: index > 0 ? "\n" : "" }, io, session.output, onFailure),
        );
      }
    });
  program
    .command("cat")
    .summary("print the values of an array")
    .description(
      "Prints values: on a terminal as NumPy does, past 1000 values only those at the edges; into a pipe or a file all of them, in columns.",
    )
    .argument("<FILE>", "a file, file.npz#member, or - for stdin")
    .addOption(new Option("--rows <a:b>", "only these rows, as array[a:b] in Python").argParser(rowsOption))
    .addOption(new Option("--json", "print one JSON document").conflicts(["csv", "ndjson"]))
    .addOption(new Option("--csv", "print a row a line, separated by commas").conflicts(["json", "ndjson"]))
    .addOption(new Option("--ndjson", "print a row a line, as JSON").conflicts(["json", "csv"]))
    .addHelpText("after", CAT_HELP)
    .action(async (text: string, options: CatOptions) => {
      const reference = await parseFileReference(text.replace(STDIN_MARK, ""));
      await session.attempt(reference, () => cat(reference, options, io, session.output));
    });
  program
    .command("stats")
    .summary("print mean, deviation and range of each column")
    .description(
      "Prints count, mean, standard deviation, smallest and largest value of each column, and how many of its values are NaN or infinite.",
    )
    .argument("<FILE>", "a file, file.npz#member, or - for stdin")
    .addOption(new Option("--columns <what>", "what a column is").choices(["element", "last-axis"]).default("element"))
    .option("--histogram", "draw a histogram of each column, as on a terminal")
    .option("--no-histogram", "read the array once, also on a terminal")
    .option("--json", "print a JSON document a line and array")
    .addHelpText("after", STATS_HELP)
    .action(async (text: string, options: StatsOptions) => {
      const reference = await parseFileReference(text.replace(STDIN_MARK, ""));
      const onFailure = (error: unknown, member: string) => session.fail(reference, error, member);
      await session.attempt(reference, async () => {
        // Loaded here, since no other command needs datasets.
        const { stats } = await import("./stats-command.ts");
        await stats(reference, options, io, session.output, onFailure);
      });
    });
  program
    .command("verify")
    .summary("read all of the files and say which are bad")
    .description(
      "Reads everything of each file: structure, sizes, checksums. Prints a line a file, ok or bad, and ends with 1 where any is bad.",
    )
    .argument("<FILE...>", "files, file.npz#member, or - for stdin")
    .option("--strict", "bytes behind the array of a .npy are bad, too")
    .option("--json", "print a JSON document a line")
    .addHelpText("after", VERIFY_HELP)
    .action(async (files: string[], options: VerifyOptions) => {
      for (const text of files) {
        const reference = await parseFileReference(text.replace(STDIN_MARK, ""));
        if (!(await verify(reference, options, io, session.output))) session.exitCode = 1;
      }
    });
  program
    .command("convert")
    .summary("write arrays in another format")
    .description(
      "Writes the array or arrays of IN to OUT, whose extension says how: .npy, .npz, .csv or .ndjson. Memory does not grow with the file, and OUT appears once it is whole.",
    )
    .argument("<IN>", "a file, file.npz#member, or - for a .npy or .npz on stdin")
    .argument("<OUT>", "the file to write; file.npz#member names the array in it")
    .option("--dtype <type>", "cast to this type, or read text as it, such as float32 or <i8")
    .addOption(new Option("--rows <a:b>", "only these rows, as array[a:b] in Python").argParser(rowsOption))
    .option("--compress", "deflate the members of an .npz")
    .addOption(
      new Option("--align <bytes>", "begin the data of stored members at multiples of 64, or of a page").argParser(
        alignOption,
      ),
    )
    .option("--overwrite", "replace OUT where it exists")
    .option("--json", "print a JSON document of what was written")
    .addHelpText("after", CONVERT_HELP)
    .action(async (input: string, out: string, { json = false, ...options }: ConvertOptions & { json?: boolean }) => {
      const source = await parseFileReference(input.replace(STDIN_MARK, ""));
      await session.attempt(source, async () => {
        const target = await parseConvertTarget(out);
        // Loaded here, since no other command writes arrays.
        const { convert } = await import("./convert-command.ts");
        try {
          const converted = await interruptible((signal) => convert(source, target, options, io, signal));
          await session.output.write(json ? `${JSON.stringify(converted)}\n` : convertedText(converted));
        } catch (error) {
          if (!isNpyError(error) || !error.code.startsWith("ERR_WRITE_")) throw error;
          await session.fail(target, error);
        }
      });
    });
  addDiscoveryCommands(program, io, session);
  return program;
}

function alignOption(text: string): 64 | "page" {
  if (text === "64") return 64;
  if (text === "page") return text;
  throw new InvalidArgumentError("It is 64 or page.");
}

function rowsOption(text: string): RowRange {
  try {
    return parseRowRange(text);
  } catch (error) {
    if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}

function readVersion(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  );
  return manifest.version;
}
