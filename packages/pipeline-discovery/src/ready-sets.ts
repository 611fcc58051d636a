import type { FileInspector } from "./file-inspector.ts";
import type { Candidate, Finding } from "./set-candidate.ts";

/** A set that was ready for longer than this is looked at again before it is handed over. */
const FRESH_MS = 100;

/** Complete sets in the order in which they became so, until somebody takes them. */
export class ReadySets {
  readonly #findings: Finding[] = [];
  readonly #inspector: FileInspector;
  readonly #onChanged: (candidate: Candidate) => void;

  /** @param onChanged - Is called for a set that is no longer what it was when it became ready. */
  constructor(inspector: FileInspector, onChanged: (candidate: Candidate) => void) {
    this.#inspector = inspector;
    this.#onChanged = onChanged;
  }

  /** How many there are at most; some may have changed meanwhile. */
  get length(): number {
    return this.#findings.length;
  }

  /** Takes up a set. */
  push(finding: Finding): void {
    finding.candidate.enter("ready");
    finding.candidate.finding = finding;
    this.#findings.push(finding);
  }

  /** Hands over the first set that is still what it was, if there is one. */
  async take(): Promise<Finding | undefined> {
    for (let finding = this.#next(); finding !== undefined; finding = this.#next()) {
      const { candidate } = finding;
      if (performance.now() - finding.at < FRESH_MS) {
        return handOver(finding);
      }
      const look = candidate.beginLook();
      const versions = await this.#inspector.versions(candidate.absolutePaths);
      if (candidate.state === "looking" && candidate.look === look) {
        const expected = finding.versions.filter((version) => version !== "");
        const isSame = versions.length === expected.length && versions.every((version, at) => version === expected[at]);
        if (isSame && !candidate.isStale) {
          return handOver(finding);
        }
        candidate.isStale = false;
        candidate.enter("waiting");
        this.#onChanged(candidate);
      }
    }
    return undefined;
  }

  /** The first one that is still as it was found, as far as is known. */
  #next(): Finding | undefined {
    for (let finding = this.#findings.shift(); finding !== undefined; finding = this.#findings.shift()) {
      if (finding.candidate.finding === finding) {
        return finding;
      }
    }
    return undefined;
  }
}

function handOver(finding: Finding): Finding {
  const { candidate, versions, generation } = finding;
  candidate.settle(versions, generation);
  candidate.enter("settled");
  return finding;
}
