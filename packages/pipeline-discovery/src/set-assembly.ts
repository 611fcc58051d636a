import { setImmediate as yieldToOthers } from "node:timers/promises";
import { ArrivalQueue } from "./arrival-queue.ts";
import type { Inspection } from "./completeness.ts";
import { pathOf } from "./directory-listing.ts";
import { leaveOutKnown } from "./known-sets.ts";
import { LookQueue } from "./look-queue.ts";
import { ReadySets } from "./ready-sets.ts";
import type { RootFolder, RootObserver } from "./root-folder.ts";
import type { SetAssemblyOptions } from "./set-assembly-options.ts";
import type { Candidate, Finding } from "./set-candidate.ts";
import type { Ruling } from "./set-judge.ts";
import { Wake } from "./wake.ts";

/** How long other work waits at most while files are sorted and looked at. */
const SLICE_MS = 4;
/** Names that are sorted, and sets that are looked at, in one go. */
const BATCH = 64;
/**
 * Sorts files into sets and looks at those of which every file is there, as far as somebody takes them.
 *
 * All of it happens in one loop, so that a set is never in two places at once. What happens to a set while it is looked
 * at only marks it stale, and it is looked at again.
 */
export class SetAssembly implements RootObserver {
  readonly #options: SetAssemblyOptions;
  readonly #wake = new Wake();
  readonly #arrivals = new ArrivalQueue();
  readonly #queue = new LookQueue();
  readonly #ready: ReadySets;
  /** Sets that are to become complete by time alone. */
  readonly #settling = new Set<Candidate>();
  #isBusy = false;
  #isClosed = false;

  constructor(options: SetAssemblyOptions) {
    this.#options = options;
    this.#ready = new ReadySets(options.inspector, (candidate) => this.requeue(candidate));
  }

  /** Whether there is nothing left to sort, to look at, to wait for or to take. */
  get isDrained(): boolean {
    const isIdle = this.#arrivals.isEmpty && this.#queue.length === 0 && !this.#isBusy;
    return isIdle && this.#ready.length === 0 && this.#settling.size === 0;
  }

  /** Sorts and looks until it is closed. */
  async run(): Promise<void> {
    let sliceEnd = performance.now() + SLICE_MS;
    while (!this.#isClosed) {
      this.#isBusy = this.#hasWork();
      if (!this.#isBusy) {
        this.#options.onProgress();
        await this.#wake.sleep();
        sliceEnd = performance.now() + SLICE_MS;
      } else if (performance.now() >= sliceEnd) {
        await yieldToOthers();
        sliceEnd = performance.now() + SLICE_MS;
      } else if (this.#queue.length < BATCH && !this.#arrivals.isEmpty) {
        this.#sort();
      } else {
        await this.#look();
      }
    }
  }

  /** Takes a set that is complete, if one is ready. */
  async take(): Promise<Finding | undefined> {
    const before = this.#ready.length;
    const finding = await this.#ready.take();
    if (before > 0 && this.#ready.length * 2 <= this.#options.maxReady) {
      this.#wake.call();
    }
    return finding;
  }

  /** Takes up a set of which not every file is there, with those that are complete. */
  async takeUpIncomplete(candidate: Candidate): Promise<void> {
    const { inspector, judge, clock } = this.#options;
    const look = candidate.beginLook();
    const inspections = await inspector.inspect(candidate.absolutePaths);
    if (candidate.state !== "looking" || candidate.look !== look) {
      return;
    }
    const ruling = candidate.isStale ? undefined : judge.ruleIncomplete(candidate, inspections);
    candidate.enter("partial");
    if (ruling?.kind === "wait") {
      this.#settling.add(candidate);
      clock.after(candidate, ruling.settleMs ?? 0, () => {
        this.#settling.delete(candidate);
        void this.takeUpIncomplete(candidate).catch(this.#options.onFailed);
      });
    } else if (ruling?.kind === "ready" || ruling?.kind === "refused") {
      this.#apply(candidate, ruling);
    } else {
      this.requeue(candidate);
    }
  }

  /** Has a set be looked at again, now. */
  requeue(candidate: Candidate): void {
    if (candidate.state === "looking") {
      candidate.isStale = true;
    } else if (candidate.state !== "queued") {
      this.#settling.delete(candidate);
      candidate.enter(candidate.isWhole ? "queued" : "partial");
      if (candidate.isWhole) {
        this.#queue.push(candidate);
        this.#wake.call();
      }
    }
  }

  /** Has a set be looked at again that was delivered or refused, as if that had not been. */
  reopen(root: string, key: string): void {
    const candidate = this.#options.table.reopen(root, key);
    if (candidate?.state === "settled") {
      candidate.forgetSettled();
      this.requeue(candidate);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const candidate of this.#options.table.candidates()) {
      clearTimeout(candidate.timer);
    }
    this.#wake.call();
  }

  appeared(root: RootFolder, folder: string, names: readonly string[]): void {
    this.#arrivals.push(root, folder, names);
    this.#wake.call();
  }

  vanished(root: RootFolder, folder: string, names: readonly string[]): void {
    for (const name of names) {
      const path = pathOf(folder, name);
      const candidate = this.#options.table.find(root, path);
      if (candidate !== undefined) {
        this.#lose(candidate, path);
      }
    }
  }

  touched(root: RootFolder, folder: string, name: string | null): void {
    if (name !== null) {
      const candidate = this.#options.table.find(root, pathOf(folder, name));
      if (candidate !== undefined) {
        this.#touch(candidate);
      }
      return;
    }
    for (const candidate of this.#options.table.candidates(root)) {
      if (candidate.state === "waiting" && candidate.isIn(folder)) {
        this.#touch(candidate);
      }
    }
  }

  doubted(root: RootFolder): void {
    this.#queue.doubt(this.#options.table.candidates(root));
    this.#wake.call();
  }

  #touch(candidate: Candidate): void {
    if (candidate.state === "looking") {
      candidate.isStale = true;
    } else if (["waiting", "taken", "settled", "ready"].includes(candidate.state)) {
      if (candidate.state !== "waiting") {
        candidate.enter("waiting");
      }
      this.#options.clock.soon(candidate, () => this.requeue(candidate));
    }
  }

  /** Sorts some of the files that were listed into their sets. */
  #sort(): void {
    this.#arrivals.take(BATCH, (root, folder, name) => {
      const candidate = this.#options.table.add(root, folder, name);
      if (candidate?.isWhole === true) {
        this.requeue(candidate);
      }
    });
  }

  /** Looks at some of the sets that are queued. */
  async #look(): Promise<void> {
    const room = Math.min(BATCH, this.#options.maxReady - this.#ready.length);
    const queued = this.#queue.take(room);
    for (const candidate of queued) {
      this.#settling.delete(candidate);
    }
    const batch = await leaveOutKnown(queued, this.#options);
    const looks = batch.map((candidate) => candidate.beginLook());
    const inspections = await this.#options.inspector.inspect(batch.flatMap((candidate) => candidate.absolutePaths));
    let at = 0;
    for (const [index, candidate] of batch.entries()) {
      const own = inspections.slice(at, at + candidate.fileCount);
      at += candidate.fileCount;
      if (candidate.state === "looking" && candidate.look === looks[index] && !this.#isClosed) {
        this.#conclude(candidate, own);
      }
    }
  }

  #conclude(candidate: Candidate, inspections: readonly Inspection[]): void {
    candidate.enter("waiting");
    const missing = candidate.paths.filter((_, at) => inspections[at]?.verdict === "missing");
    if (missing.length > 0) {
      for (const path of missing) {
        candidate.root.dropFile(path);
        this.#lose(candidate, path);
      }
    } else if (candidate.isStale) {
      candidate.isStale = false;
      this.requeue(candidate);
    } else {
      this.#apply(candidate, this.#options.judge.rule(candidate, inspections));
    }
  }

  #apply(candidate: Candidate, ruling: Ruling): void {
    const { clock, onProgress, onRefused, onCleared, onSettled } = this.#options;
    if (ruling.kind === "settled") {
      candidate.enter("settled");
      onSettled(candidate);
    } else if (ruling.kind === "refused") {
      candidate.settle(ruling.versions);
      candidate.enter("settled");
      onRefused(candidate, ruling);
    } else if (ruling.kind === "ready") {
      onCleared(candidate);
      this.#admit(ruling.finding);
      onProgress();
    } else {
      candidate.reason = ruling.reason;
      if (ruling.settleMs === undefined) {
        clock.later(candidate, () => this.requeue(candidate));
      } else {
        this.#settling.add(candidate);
        clock.after(candidate, ruling.settleMs, () => this.requeue(candidate));
      }
    }
  }

  /** Takes up a set that is complete, unless it is known from before. */
  #admit(finding: Finding): void {
    const { candidate, generation, versions } = finding;
    const known = candidate.settledGeneration === generation && candidate.hasSettled;
    const recollection = known ? "settled" : this.#options.recall(finding);
    if (recollection === "new") {
      this.#ready.push(finding);
    } else if (recollection === "settled") {
      candidate.settle(versions, generation);
      candidate.enter("settled");
    } else {
      candidate.enter("taken");
      this.#options.clock.later(candidate, () => this.requeue(candidate));
    }
  }

  /** Takes note that a file has gone. */
  #lose(candidate: Candidate, path: string): void {
    this.#settling.delete(candidate);
    candidate.enter("partial");
    this.#options.table.remove(candidate, path);
    this.#options.onLost(candidate);
  }

  #hasWork(): boolean {
    const hasRoom = this.#ready.length < this.#options.maxReady;
    return hasRoom && (!this.#queue.isEmpty || !this.#arrivals.isEmpty);
  }
}
