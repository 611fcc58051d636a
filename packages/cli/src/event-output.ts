import { stripVTControlCharacters } from "node:util";
import { type CommandIo, textStyle } from "./command-io.ts";
import { LiveView } from "./live-view.ts";
import { printable } from "./printable-text.ts";
import type { Session } from "./session.ts";
import { eventText, type SetEvent } from "./set-event.ts";
import { OutputError } from "./text-output.ts";

/** Columns of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;
/** Events that the view of a terminal tells by a number alone. */
const COUNTED: readonly SetEvent["event"][] = ["set", "done"];

/** How events are shown. */
export interface EventOutputOptions {
  readonly io: CommandIo;
  readonly session: Session;
  /** One JSON document a line, also on a terminal. */
  readonly json: boolean;
  /** Whether each set has its line on a terminal, too. */
  readonly listsSets: boolean;
  /** Gives the lines of the live view. */
  readonly view: () => readonly string[];
}

/**
 * Where a run tells of its sets: JSON lines, unless stdout is a terminal; there it is lines of text above a live view.
 *
 * What commands print goes to stderr, a line of theirs in a line behind the key of its set.
 */
export class EventOutput {
  readonly #options: EventOutputOptions;
  readonly #isJson: boolean;
  readonly #view: LiveView | undefined;

  constructor(options: EventOutputOptions) {
    const { io, session, json, view } = options;
    this.#options = options;
    this.#isJson = json || io.stdout.isTTY !== true;
    const environment = io.environment ?? process.env;
    if (!this.#isJson && environment["TERM"] !== "dumb") {
      const columns = (): number => io.stdout.columns || DEFAULT_COLUMNS;
      this.#view = new LiveView({ output: session.output, columns, render: view });
    }
  }

  /** Tells of an event; resolves when the output has taken it. @throws OutputError */
  async emit(event: SetEvent): Promise<void> {
    const { io, session, listsSets } = this.#options;
    if (this.#isJson) {
      await session.output.write(`${JSON.stringify(event)}\n`);
      await session.output.flush();
      return;
    }
    const isCounted = this.#view !== undefined && COUNTED.includes(event.event);
    if (isCounted && !(listsSets && event.event === "set")) return;
    await this.#print(async () => {
      await session.output.write(`${eventText(event, textStyle(io).bold)}\n`);
      await session.output.flush();
    });
  }

  /** Hands on a line that the command of a set printed. */
  async line(key: string, line: string): Promise<void> {
    const shown = stripVTControlCharacters(line).split("\t").map(printable).join("\t");
    await this.note(`${printable(key)}: ${shown}`);
  }

  /** Prints a line about the run on stderr. One that nobody reads any more is no reason to end. */
  async note(line: string): Promise<void> {
    try {
      await this.#print(() => this.#options.session.note(line));
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
    }
  }

  /** Leaves the view as it is last. */
  async close(): Promise<void> {
    await this.#view?.stop();
  }

  async #print(print: () => Promise<void>): Promise<void> {
    if (this.#view === undefined) await print();
    else await this.#view.print(print);
  }
}
