/** What a finished run adds up to. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

const TEST_LINE = /^(ok|not ok) \d+ - (.*)$/;
const DIRECTIVE = /\s# (SKIP|TODO)\b/;
const SUMMARY_LINE = /^# fail (\d+)$/;

/** Reads AVA's TAP line by line, gives back readable lines and counts what passed and failed. */
export class TapReport {
  readonly #filePrefix: string;
  #passed = 0;
  #failed = 0;
  #summaryFailed: number | undefined;
  #diagnosing = false;

  /** @param filePrefix - Put before every title; empty where AVA already names the file, which it does for several files. */
  constructor(filePrefix = "") {
    this.#filePrefix = filePrefix;
  }

  /** Takes one line of TAP; returns the lines to print for it. */
  line(text: string): string[] {
    const result = TEST_LINE.exec(text);
    if (result !== null) {
      return [this.#test(result[1] === "ok", result[2] ?? "")];
    }
    if (text === "  ---") {
      this.#diagnosing = true;
      return [];
    }
    if (text === "  ...") {
      this.#diagnosing = false;
      return [""];
    }
    const summary = SUMMARY_LINE.exec(text);
    if (summary !== null && !this.#diagnosing) {
      this.#summaryFailed = Number(summary[1]);
    }
    return this.#diagnosing || text.startsWith("#   ") ? [`    ${text}`] : [];
  }

  /**
   * The counts once AVA has ended. A run that died, left tests behind or ran none counts at least one failure, so that no
   * broken run reads as a good one.
   */
  tally(exitCode: number | null): Tally {
    const failed = Math.max(this.#failed, this.#summaryFailed ?? 1);
    const broken = exitCode !== 0 || this.#passed + failed === 0;
    return { passed: this.#passed, failed: broken ? Math.max(failed, 1) : failed };
  }

  #test(ok: boolean, title: string): string {
    const directive = DIRECTIVE.exec(title);
    if (directive !== null) {
      return `  - ${this.#filePrefix}${title}`;
    }
    if (ok) {
      this.#passed += 1;
    } else {
      this.#failed += 1;
    }
    return `${ok ? "  ✔" : "  ✘ FAILED"} ${this.#filePrefix}${title}`;
  }
}
