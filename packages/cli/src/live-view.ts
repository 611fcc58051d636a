import type { TextOutput } from "./text-output.ts";

/** What a live view is painted on. */
export interface LiveViewOptions {
  /** Takes what is painted: a terminal. */
  readonly output: TextOutput;
  /** Columns of the terminal as it is now. */
  readonly columns: () => number;
  /** Gives the lines as they should be now, without styles; each is cut to the width of the terminal. */
  readonly render: () => readonly string[];
}

/** Milliseconds between two looks at what has changed. */
const REPAINT_MS = 200;
/** Characters that take two columns, as far as names of files have them, and those that take none. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff00-\uff60]/u;
const EMPTY = /[\p{M}\u200b\u200d]/u;

/**
 * A few lines at the bottom of a terminal that are painted anew in place, below whatever else is printed.
 *
 * The cursor stays visible and no mode of the terminal is changed, so that there is nothing to restore however the process
 * ends.
 */
export class LiveView {
  readonly #options: LiveViewOptions;
  readonly #timer: NodeJS.Timeout;
  #painted: readonly string[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(options: LiveViewOptions) {
    this.#options = options;
    // Who prints through the view is told of an output that takes nothing more.
    this.#timer = setInterval(() => void this.#paint().catch(() => undefined), REPAINT_MS);
  }

  /** Takes the view away, prints whole lines, and paints it again below; one such thing at a time. */
  async print(print: () => Promise<void>): Promise<void> {
    await this.#paint(print);
  }

  /** Paints the lines for the last time and leaves them there. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#paint();
  }

  async #paint(print?: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(async () => {
      const { output, render } = this.#options;
      const columns = this.#options.columns();
      const before = print === undefined ? this.#lines(render(), columns) : [];
      if (print === undefined && String(before) === String(this.#painted)) return;
      await output.write(this.#erasure(columns));
      this.#painted = [];
      if (print !== undefined) {
        await output.flush();
        await print();
      }
      const lines = this.#lines(render(), columns);
      await output.write(lines.map((line) => `${line}\n`).join(""));
      await output.flush();
      this.#painted = lines;
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  #lines(lines: readonly string[], columns: number): string[] {
    // The last column is left free: some terminals begin a new line behind it.
    return lines.map((line) => cutToWidth(line, columns - 1));
  }

  /** Goes up over what was painted, which a terminal that has become narrower shows in more rows. */
  #erasure(columns: number): string {
    const rows = this.#painted.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0);
    return rows === 0 ? "" : `\r\x1b[${rows}A\x1b[J`;
  }
}

/** Cuts a text without styles to this many columns, with an ellipsis where something is cut off. */
export function cutToWidth(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text;
  let cut = "";
  let width = 1;
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns) break;
    cut += character;
  }
  return `${cut}…`;
}

function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (character < "\u0300") return 1;
  if (EMPTY.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
