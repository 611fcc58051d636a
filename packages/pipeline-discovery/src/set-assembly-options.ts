import type { FileInspector } from "./file-inspector.ts";
import type { RecheckClock } from "./recheck-clock.ts";
import type { Candidate, Finding } from "./set-candidate.ts";
import type { Refusal, SetJudge } from "./set-judge.ts";
import type { SetTable } from "./set-table.ts";

/** What a `SetAssembly` works with. */
export interface SetAssemblyOptions {
  readonly table: SetTable;
  readonly inspector: FileInspector;
  readonly judge: SetJudge;
  readonly clock: RecheckClock;
  /** Complete sets that are held at most. */
  readonly maxReady: number;
  /** Is called when a set has become ready, and when there is nothing left to look at. */
  readonly onProgress: () => void;
  readonly onRefused: (candidate: Candidate, refusal: Refusal) => void;
  /** Has sets that are looked at for the first time be known as what they were before this process. */
  readonly remember: (candidates: readonly Candidate[]) => void;
  /** Tells what is known of a set that was found complete from before. */
  readonly recall: (finding: Finding) => Recollection;
  /** Is called when a set that may have been refused is complete and right. */
  readonly onCleared: (candidate: Candidate) => void;
  /** Is called when a file of a set has gone; and when a set was found as it was when it was delivered or refused. */
  readonly onLost: (candidate: Candidate) => void;
  readonly onSettled: (candidate: Candidate) => void;
  /** Is called where a look that nobody waits for failed. */
  readonly onFailed: (error: unknown) => void;
}

/** What is known from before of a set that was found complete: it may be `new`, in somebody's hands, or `settled`. */
export type Recollection = "new" | "taken" | "settled";
