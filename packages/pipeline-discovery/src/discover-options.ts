import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { checkOptionKeys, type Logger, type NameFields, type NameTemplate } from "@npystream/codec";
import type { IncompleteSet, QuarantinedSet } from "./array-set.ts";
import { Ledger } from "./ledger.ts";
import { defaultLogger } from "./logging.ts";
import { checkChoice, checkCount, checkMilliseconds } from "./option-checks.ts";
import { UNHINTED_SWEEP_MS } from "./root-folder.ts";
import type { SetContract } from "./set-contract.ts";
import type { UnmatchedFile } from "./unmatched-file.ts";

/** When a set counts as abandoned, and what then happens. */
export interface IncompleteOptions {
  /** Milliseconds that a set may be incomplete since its first file came. @defaultValue 300,000 */
  readonly afterMs?: number;
  /**
   * Whether such a set is only reported, also quarantined, or also delivered with the arrays that are complete and `missing`
   * roles. When it becomes complete after all, it is delivered in any case. Only pairs of files can be delivered so.
   *
   * @defaultValue `'report'`
   */
  readonly action?: "report" | "quarantine" | "emit";
  /** Is called once for each such set, beside the log. */
  readonly onReport?: (set: IncompleteSet) => void;
}

/** What {@link discover} looks for, where and how. */
export interface DiscoverOptions<F extends object = NameFields, S extends SetContract = SetContract> {
  /** One or more folders: paths or `file:` URLs. One that does not exist yet is waited for. None may lie in another. */
  readonly roots: string | URL | readonly (string | URL)[];
  /** How the files are named: a template with `{role}` that ends in `.npy`, or one without that ends in `.npz` or `.manifest.json`. */
  readonly names: NameTemplate<F>;
  /** Which arrays make up a set, and what they must be. */
  readonly sets: S;
  /**
   * When a file counts as complete.
   *
   * - `'content'`: when it holds what its header declares; one that may be preallocated must also stay unchanged for
   *   `settleMs`.
   * - `'marker'`: when it holds that and `{path}.done` or `_SUCCESS` stands beside it.
   * - `'rename-only'`: when it holds that at the first look; a file that does not is quarantined for good.
   *
   * @defaultValue `'content'`
   */
  readonly completion?: "content" | "marker" | "rename-only";
  /** Milliseconds that a file which may be preallocated must stay unchanged. @defaultValue 2000 */
  readonly settleMs?: number;
  /**
   * Whether events of the file system tell where to look. `'none'` is for network file systems, which have no events of
   * other machines' writes; files are then also read off the main thread alone.
   *
   * @defaultValue `'auto'`
   */
  readonly hints?: "auto" | "none";
  /** Milliseconds between sweeps over the folders. @defaultValue 5000, and 1000 without hints */
  readonly sweepMs?: number;
  /** Whether to end when everything that is there has been delivered, and not to watch. @defaultValue `false` */
  readonly once?: boolean;
  /** When a set counts as abandoned, and what then happens. */
  readonly onIncomplete?: IncompleteOptions;
  /** Is called for each set that is quarantined, beside the log. */
  readonly onQuarantine?: (set: QuarantinedSet) => void;
  /**
   * Is called, beside the log, for a root where arrays are and none of them is named as the template and the roles say: one of
   * the two is then mostly misspelt, which else looks like a folder into which nothing comes. Asked when everything is listed: at the
   * start, and every few minutes. Once for each root.
   */
  readonly onUnmatched?: (file: UnmatchedFile) => void;
  /** Complete sets that are held ready at most until somebody takes them. @defaultValue 64 */
  readonly maxPending?: number;
  /**
   * Where it is written what has become of each set, so that none is delivered again after a restart: the path of a file
   * on a local disk outside the roots, which is made where there is none, or a ledger that several discoveries of this
   * process share, which its owner closes.
   *
   * @defaultValue no ledger: a restart delivers again what is still there
   */
  readonly ledger?: string | Ledger;
  /** Names the sets of this discovery in the ledger. @defaultValue the text of the template */
  readonly pipeline?: string;
  /**
   * What tells one state of a file from another: `'stat'` its inode, size, time of change and header; `'digest'` its
   * content, so that the same bytes count as the same however they came, at the price of reading every file whole.
   *
   * @defaultValue `'stat'`
   */
  readonly verify?: "stat" | "digest";
  /** Takes what is logged. @defaultValue pino at level `warn`, on standard error */
  readonly logger?: Logger;
  /** Ends the discovery: whoever waits for a set is rejected with `signal.reason`. */
  readonly signal?: AbortSignal;
}

/** Options with their defaults, checked. */
export interface ResolvedOptions {
  readonly roots: readonly string[];
  readonly names: NameTemplate<object>;
  readonly sets: SetContract;
  readonly completion: "content" | "marker" | "rename-only";
  readonly settleMs: number;
  readonly hints: "auto" | "none";
  readonly sweepMs: number;
  readonly once: boolean;
  readonly incompleteMs: number;
  readonly incompleteAction: "report" | "quarantine" | "emit";
  readonly onReport: (set: IncompleteSet) => void;
  readonly onQuarantine: (set: QuarantinedSet) => void;
  readonly onUnmatched: (file: UnmatchedFile) => void;
  readonly maxPending: number;
  readonly ledger: string | Ledger | undefined;
  readonly pipeline: string;
  readonly verify: "stat" | "digest";
  readonly logger: Logger;
  readonly signal: AbortSignal | undefined;
}

const KNOWN_OPTIONS = [
  "roots",
  "names",
  "sets",
  "completion",
  "settleMs",
  "hints",
  "sweepMs",
  "once",
  "onIncomplete",
  "onQuarantine",
  "onUnmatched",
  "maxPending",
  "ledger",
  "pipeline",
  "verify",
  "logger",
  "signal",
];

/**
 * Checks options and fills in the defaults.
 *
 * @throws TypeError, RangeError for options that cannot be.
 */
export function resolveOptions<F extends object, S extends SetContract>(
  options: DiscoverOptions<F, S>,
): ResolvedOptions {
  checkOptionKeys("discover", options, KNOWN_OPTIONS);
  const {
    names,
    sets,
    completion = "content",
    settleMs = 2000,
    hints = "auto",
    once = false,
    maxPending = 64,
  } = options;
  const { onIncomplete = {}, onQuarantine = () => undefined, onUnmatched = () => undefined } = options;
  const { verify = "stat", ledger, signal } = options;
  checkOptionKeys("onIncomplete", onIncomplete, ["afterMs", "action", "onReport"]);
  const { afterMs = 300_000, action = "report", onReport = () => undefined } = onIncomplete;
  const sweepMs = options.sweepMs ?? (hints === "none" ? UNHINTED_SWEEP_MS : 5000);
  checkChoice("completion", completion, ["content", "marker", "rename-only"]);
  checkChoice("hints", hints, ["auto", "none"]);
  checkChoice("onIncomplete.action", action, ["report", "quarantine", "emit"]);
  checkMilliseconds("settleMs", settleMs);
  checkMilliseconds("sweepMs", sweepMs);
  checkMilliseconds("onIncomplete.afterMs", afterMs);
  checkCount("maxPending", maxPending, 1);
  checkChoice("verify", verify, ["stat", "digest"]);
  if (typeof names?.parse !== "function") {
    throw new TypeError("names must be a template made by nameTemplate()");
  }
  const { pipeline = names.template } = options;
  if (typeof pipeline !== "string" || pipeline === "") {
    throw new TypeError("pipeline must be a text that is not empty");
  }
  const roots = resolveRoots(options.roots);
  return {
    roots,
    // Only paths are read with it, and what a path gives is taken as it comes.
    names: names as NameTemplate<object>,
    sets,
    completion,
    settleMs,
    hints,
    sweepMs,
    once,
    incompleteMs: afterMs,
    incompleteAction: action,
    onReport,
    onQuarantine,
    onUnmatched,
    maxPending,
    ledger: ledger === undefined ? undefined : resolveLedger(ledger, roots),
    pipeline,
    verify,
    logger: options.logger ?? defaultLogger(),
    signal,
  };
}

function resolveRoots(roots: DiscoverOptions["roots"]): string[] {
  const list: readonly unknown[] = Array.isArray(roots) ? roots : [roots];
  const paths = list.map((root) => {
    if (root instanceof URL) {
      return resolve(fileURLToPath(root));
    }
    if (typeof root !== "string" || root === "") {
      throw new TypeError("roots must be a folder or a list of folders: paths or file: URLs");
    }
    return resolve(root);
  });
  if (paths.length === 0) {
    throw new TypeError("roots names no folder");
  }
  for (const [at, path] of paths.entries()) {
    const other = paths.find((one, index) => index !== at && isInside(path, one));
    if (other !== undefined) {
      throw new TypeError(`the root ${path} lies in the root ${other}, so that its files would be found twice`);
    }
  }
  return paths;
}

function resolveLedger(ledger: string | Ledger, roots: readonly string[]): string | Ledger {
  if (typeof ledger !== "string" && !(ledger instanceof Ledger)) {
    throw new TypeError("ledger must be the path of a file, or a ledger made by openLedger()");
  }
  const path = typeof ledger === "string" ? resolve(ledger) : ledger.path;
  const root = roots.find((one) => isInside(path, one));
  if (root !== undefined) {
    throw new TypeError(`the ledger ${path} lies in the root ${root}; it belongs outside the folders that are watched`);
  }
  return typeof ledger === "string" ? path : ledger;
}

function isInside(path: string, folder: string): boolean {
  const rest = path.startsWith(folder) ? path.slice(folder.length) : undefined;
  return rest !== undefined && (rest === "" || folder.endsWith("/") || /^[/\\]/.test(rest));
}
