import { NpyError } from "@npystream/codec";
import { type ArrayFacts, type Inspection, missingFile } from "./completeness.ts";
import type { Candidate, Finding } from "./set-candidate.ts";
import type { CompiledContract } from "./set-contract.ts";
import { generationOf } from "./set-identity.ts";
import type { SetNames } from "./set-names.ts";

/** A set that is not to be delivered as it is. */
export interface Refusal {
  readonly kind: "refused";
  readonly reason: string;
  readonly error: Error;
  /** Versions of the files, in the order of the roles. */
  readonly versions: readonly string[];
}

/** What is to be done with a set that was looked at. */
export type Ruling =
  | { readonly kind: "ready"; readonly finding: Finding }
  /** It is as it was when it was delivered or quarantined. */
  | { readonly kind: "settled" }
  | Refusal
  /** `settleMs` is the time after which it may be complete as it stands; without one, it must change first. */
  | { readonly kind: "wait"; readonly reason: string; readonly settleMs?: number };

/** What {@link SetJudge} goes by. */
export interface JudgeOptions {
  readonly names: SetNames;
  readonly contract: CompiledContract;
  readonly completion: "content" | "marker" | "rename-only";
  readonly settleMs: number;
}

/**
 * A file that changed last so long before now counts as settled at the first look. The file system's clock may be that
 * of another machine: as long as it is not a minute behind, nothing is settled too early.
 */
const CLOCK_SKEW_MS = 60_000;

/** Decides what looking into the files of a set means for the set. */
export class SetJudge {
  readonly #options: JudgeOptions;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Rules on a set by its files, in the order of its roles; none of them is missing. */
  rule(candidate: Candidate, inspections: readonly Inspection[]): Ruling {
    const versions = inspections.map(({ version }) => version);
    const barred = this.#bar(candidate, inspections);
    if (barred !== null) {
      return candidate.isSettledAs(versions) ? { kind: "settled" } : { ...barred, versions };
    }
    const unfinished = inspections.findIndex(({ verdict }) => verdict === "incomplete");
    if (unfinished >= 0) {
      return { kind: "wait", reason: this.#describe(unfinished, inspections[unfinished]?.reason) };
    }
    if (candidate.isSettledAs(versions)) {
      return { kind: "settled" };
    }
    const invalid = inspections.findIndex(({ verdict }) => verdict === "invalid");
    const error = inspections[invalid]?.error;
    if (error !== undefined) {
      const path = candidate.absolutePaths[invalid];
      return {
        kind: "refused",
        reason: this.#describe(invalid, error.message),
        error: error.locate({ path }),
        versions,
      };
    }
    const doubt = this.#doubt(candidate, inspections);
    const settleMs = doubt === undefined ? 0 : this.#settleMs(candidate, inspections);
    if (doubt !== undefined && settleMs > 0) {
      return { kind: "wait", reason: doubt, settleMs };
    }
    return this.#checkContract(candidate, inspections);
  }

  /**
   * Rules on a set of which files are missing, by those that are there, in the order of their roles: ready with the ones that
   * are complete, or nothing to be ruled on yet.
   */
  ruleIncomplete(candidate: Candidate, inspections: readonly Inspection[]): Ruling {
    const { contract } = this.#options;
    const arrays = new Map<string, ArrayFacts>();
    const files: Inspection[] = [];
    let next = 0;
    let isDoubtful = false;
    for (const [at, path] of candidate.paths.entries()) {
      const inspection = (path === "" ? undefined : inspections[next++]) ?? missingFile;
      files.push(inspection);
      const facts = inspection.arrays.get("");
      if (facts !== undefined && (inspection.verdict === "complete" || inspection.verdict === "suspicious")) {
        arrays.set(contract.roles[at] ?? "", facts);
        isDoubtful ||= inspection.verdict === "suspicious" && this.#options.completion === "content";
      }
    }
    const versions = files.map(({ version }) => version);
    if (arrays.size === 0 || candidate.isSettledAs(versions)) {
      return { kind: "settled" };
    }
    const settleMs = isDoubtful ? this.#settleMs(candidate, inspections) : 0;
    if (settleMs > 0) {
      return { kind: "wait", reason: candidate.reason, settleMs };
    }
    return conclude(candidate, files, arrays, contract.checkThose(arrays));
  }

  #checkContract(candidate: Candidate, inspections: readonly Inspection[]): Ruling {
    const { names, contract } = this.#options;
    const only = inspections[0]?.arrays ?? new Map();
    const arrays = names.isOneFile
      ? only
      : new Map(
          contract.roles.flatMap((role, at) => {
            const facts = inspections[at]?.arrays.get("");
            return facts === undefined ? [] : [[role, facts] as const];
          }),
        );
    return conclude(candidate, inspections, arrays, contract.check(arrays));
  }

  /** Refuses a set of which a file was unfinished when it appeared, for as long as that file is there. */
  #bar(candidate: Candidate, inspections: readonly Inspection[]): Omit<Refusal, "versions"> | null {
    if (this.#options.completion !== "rename-only") {
      return null;
    }
    const identities = inspections.map(({ version }) => version.split("-", 2).join("-"));
    candidate.barred = identities.filter((identity, at) => {
      return inspections[at]?.verdict === "incomplete" || candidate.barred.includes(identity);
    });
    const at = identities.findIndex((identity) => candidate.barred.includes(identity));
    if (at < 0) {
      return null;
    }
    const reason = this.#describe(at, "it was not whole when it appeared, as only files that are written in place are");
    return { kind: "refused", reason, error: new NpyError("ERR_SET_CONTRACT", reason) };
  }

  /** What speaks against a set whose files are as long as they say, or nothing. */
  #doubt(candidate: Candidate, inspections: readonly Inspection[]): string | undefined {
    const suspicious = inspections.findIndex(({ verdict }) => verdict === "suspicious");
    if (suspicious >= 0 && this.#options.completion === "content") {
      return this.#describe(suspicious, inspections[suspicious]?.reason);
    }
    // Of a set that is being replaced, the old files still fit each other, and mostly also the new ones.
    const { settled } = candidate;
    const old = inspections.findIndex(({ version }, at) => settled[at] === version);
    return old >= 0 ? this.#describe(old, "it is still the old one, and others of the set are new") : undefined;
  }

  /** Milliseconds for which the files must still stay as they are. */
  #settleMs(candidate: Candidate, inspections: readonly Inspection[]): number {
    const { settleMs } = this.#options;
    const now = performance.now();
    const oldest = Date.now() - settleMs - CLOCK_SKEW_MS;
    if (inspections.every(({ changedAt }) => changedAt < oldest)) {
      return 0;
    }
    const progress = inspections.map(({ version, blocks }) => `${version}-${blocks}`).join();
    if (candidate.doubt?.progress !== progress) {
      candidate.doubt = { progress, since: now };
    }
    return Math.max(0, settleMs - (now - candidate.doubt.since));
  }

  #describe(at: number, reason = ""): string {
    const { names, contract } = this.#options;
    return names.isOneFile ? reason : `${contract.roles[at]}: ${reason}`;
  }
}

/** Rules on a set whose files are complete: ready, or refused where it breaks the contract. */
function conclude(
  candidate: Candidate,
  files: readonly Inspection[],
  arrays: ReadonlyMap<string, ArrayFacts>,
  error: Error | null,
): Ruling {
  const versions = files.map(({ version }) => version);
  if (error !== null) {
    return { kind: "refused", reason: error.message, error, versions };
  }
  const states = files.map(({ digest, version }) => digest ?? version);
  const finding = { candidate, versions, arrays, generation: generationOf(states, arrays), at: performance.now() };
  return { kind: "ready", finding };
}
