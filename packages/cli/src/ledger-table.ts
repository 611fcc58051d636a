import type { LedgerEntry, LedgerState } from "@npystream/pipeline-discovery";
import { printable } from "./printable-text.ts";

/** Entries whose columns are aligned together, so that memory does not grow with the ledger. */
const BLOCK_ENTRIES = 1000;
const HEADINGS = ["state", "key", "pipeline", "id", "taken", "since", "reason"];
/** Digits of an id that are shown, and are enough to name it. */
const ID_DIGITS = 12;

/** A ledger as aligned lines of text: the headings, a line an entry, and how many there are of each state. */
export class LedgerTable {
  readonly #bold: (text: string) => string;
  readonly #counts = new Map<LedgerState, number>();
  readonly #widths: number[] = HEADINGS.map(({ length }) => length);
  #rows: string[][] = [];
  #isBegun = false;

  constructor(bold: (text: string) => string) {
    this.#bold = bold;
  }

  /** Takes an entry, and gives the lines that can be written. */
  add({ state, key, pipeline, id, deliveries, updatedAt, reason }: LedgerEntry): string {
    this.#counts.set(state, (this.#counts.get(state) ?? 0) + 1);
    const since = `${updatedAt.toISOString().slice(0, 19)}Z`;
    this.#rows.push([state, key, pipeline, id.slice(0, ID_DIGITS), String(deliveries), since, reason].map(printable));
    return this.#rows.length < BLOCK_ENTRIES ? "" : this.#block();
  }

  /** Gives the last lines. */
  end(): string {
    const counts = [...this.#counts].map(([state, count]) => `${count} ${state}`);
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    const summary = `${total} ${total === 1 ? "set" : "sets"}${total === 0 ? "" : `: ${counts.join(", ")}`}\n`;
    return this.#rows.length === 0 ? summary : `${this.#block()}${summary}`;
  }

  #block(): string {
    for (const row of this.#rows) {
      for (const [column, text] of row.entries()) {
        this.#widths[column] = Math.max(this.#widths[column] ?? 0, text.length);
      }
    }
    const head = this.#isBegun ? "" : `${this.#bold(this.#line(HEADINGS))}\n`;
    const lines = this.#rows.map((row) => `${this.#line(row)}\n`);
    this.#isBegun = true;
    this.#rows = [];
    return head + lines.join("");
  }

  #line(row: readonly string[]): string {
    return row
      .map((text, column) => text.padEnd(this.#widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  }
}
