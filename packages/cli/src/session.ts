import type { CommandIo } from "./command-io.ts";
import { errorLine } from "./error-line.ts";
import type { FileReference } from "./file-reference.ts";
import { printable } from "./printable-text.ts";
import { OutputError, TextOutput } from "./text-output.ts";
import { UsageError } from "./usage-error.ts";

/** How a command ended: done, the file or the run failed, or wrong use. */
export type ExitCode = 0 | 1 | 2;

/** The outputs of one run and how it has gone so far. */
export class Session {
  readonly output: TextOutput;
  exitCode: ExitCode = 0;
  readonly #errors: TextOutput;

  constructor(io: CommandIo) {
    this.output = new TextOutput(io.stdout);
    this.#errors = new TextOutput(io.stderr);
  }

  /** Does something with one file and tells of its failure, so that other files get their turn. */
  async attempt(file: FileReference, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (error instanceof OutputError) throw error;
      await this.fail(file, error);
    }
  }

  /** Prints a line on stderr that is no failure. @throws OutputError */
  async note(line: string): Promise<void> {
    await this.#errors.write(`${line}\n`);
    await this.#errors.flush();
  }

  /** Prints the line of a failure, behind what was printed before it, and remembers the exit code. */
  async fail(
    { path, member: named }: FileReference,
    error: unknown,
    member: string | undefined = named,
  ): Promise<void> {
    const isWrongUse = error instanceof UsageError;
    if (this.exitCode !== 2) this.exitCode = isWrongUse ? 2 : 1;
    if (!(error instanceof OutputError)) await this.output.flush();
    const line = isWrongUse ? `error: ${printable(error.message)}` : errorLine(path, error, member);
    await this.#errors.write(`${line}\n`);
    await this.#errors.flush();
  }
}
