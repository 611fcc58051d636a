import type { FileInspector } from "./file-inspector.ts";
import type { Candidate } from "./set-candidate.ts";

/** What tells sets that are known. */
export interface KnownSetsOptions {
  readonly inspector: FileInspector;
  /** Has sets that are looked at for the first time be known as what they were before this process. */
  readonly remember: (candidates: readonly Candidate[]) => void;
  /** Is called for each that is left out. */
  readonly onSettled: (candidate: Candidate) => void;
}

/**
 * Leaves out the sets whose files are those that were delivered, which a look from outside tells; it costs
 * no opening and no reading. Gives the others, which are still queued.
 */
export async function leaveOutKnown(
  queued: readonly Candidate[],
  { inspector, remember, onSettled }: KnownSetsOptions,
): Promise<Candidate[]> {
  remember(queued.filter(({ look }) => look === 0));
  const known = queued.filter(({ hasSettled }) => hasSettled);
  const looks = known.map((candidate) => candidate.beginLook());
  const versions = await inspector.versions(known.flatMap(({ absolutePaths }) => absolutePaths));
  let at = 0;
  for (const [index, candidate] of known.entries()) {
    const own = versions.slice(at, at + candidate.fileCount);
    at += candidate.fileCount;
    if (candidate.state === "looking" && candidate.look === looks[index]) {
      const isSame = !candidate.isStale && candidate.isSettledAs(own);
      candidate.enter(isSame ? "settled" : "queued");
      if (isSame) {
        onSettled(candidate);
      }
    }
  }
  return queued.filter(({ state }) => state === "queued");
}
