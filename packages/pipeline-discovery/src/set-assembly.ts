import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Inspection } from "./completeness.ts";
import type { FileInspector } from "./file-inspector.ts";
import type { RecheckClock } from "./recheck-clock.ts";
import type { RootFolder, RootObserver } from "./root-folder.ts";
import type { Candidate, Finding } from "./set-candidate.ts";
import type { Ruling, SetJudge } from "./set-judge.ts";
import type { SetTable } from "./set-table.ts";
import { Wake } from "./wake.ts";

/** What a {@link SetAssembly} works with. */
export interface SetAssemblyOptions {
  readonly table: SetTable;
  readonly inspector: FileInspector;
  readonly judge: SetJudge;
  readonly clock: RecheckClock;
  /** Complete sets that are held at most. */
  readonly maxReady: number;
  /** Is called when a set has become ready, and when there is nothing left to look at. */
  readonly onProgress: () => void;
  readonly onRefused: (candidate: Candidate, reason: string, error: Error) => void;
  /** Is called when a set that may have been refused is complete and right, or a file of it has gone. */
  readonly onCleared: (candidate: Candidate) => void;
}

/** Files of one folder that were listed and not yet sorted into sets. */
interface Arrivals {
  readonly root: RootFolder;
  readonly folder: string;
  readonly names: readonly string[];
  next: number;
}

/** How long other work waits at most while files are sorted and looked at. */
const SLICE_MS = 4;
/** Names that are sorted, and sets that are looked at, in one go. */
const BATCH = 64;
/** A set that was ready for longer than this is looked at again before it is handed over. */
const FRESH_MS = 100;

/**
 * Sorts files into sets and looks at those of which every file is there, as far as somebody takes them.
 *
 * All of it happens in one loop, so that a set is never in two places at once. What happens to a set while it is looked
 * at only marks it stale, and it is looked at again.
 */
export class SetAssembly implements RootObserver {
  readonly #options: SetAssemblyOptions;
  readonly #wake = new Wake();
  readonly #arrivals: Arrivals[] = [];
  readonly #queue: Candidate[] = [];
  readonly #ready: Finding[] = [];
  /** Sets that are to become complete by time alone. */
  readonly #settling = new Set<Candidate>();
  #isBusy = false;
  #isClosed = false;

  constructor(options: SetAssemblyOptions) {
    this.#options = options;
  }

  /** Whether there is nothing left to sort, to look at, to wait for or to take. */
  get isDrained(): boolean {
    const isIdle = this.#arrivals.length === 0 && this.#queue.length === 0 && !this.#isBusy;
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
      } else if (this.#queue.length < BATCH && this.#arrivals.length > 0) {
        this.#sort();
      } else {
        await this.#look();
      }
    }
  }

  /** Takes a set that is complete, if one is ready. */
  async take(): Promise<Finding | undefined> {
    for (let finding = this.#nextReady(); finding !== undefined; finding = this.#nextReady()) {
      const { candidate } = finding;
      if (performance.now() - finding.at < FRESH_MS) {
        return this.#handOver(finding);
      }
      const look = candidate.beginLook();
      const inspections = await this.#options.inspector.inspect(candidate.absolutePaths);
      if (candidate.state === "looking" && candidate.look === look) {
        const isSame = inspections.every(({ version }, at) => version === finding.versions[at]);
        if (isSame && !candidate.isStale) {
          return this.#handOver(finding);
        }
        candidate.isStale = false;
        candidate.enter("waiting");
        this.requeue(candidate);
      }
    }
    return undefined;
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

  close(): void {
    this.#isClosed = true;
    for (const candidate of this.#options.table.candidates()) {
      clearTimeout(candidate.timer);
    }
    this.#wake.call();
  }

  appeared(root: RootFolder, folder: string, names: readonly string[]): void {
    this.#arrivals.push({ root, folder, names, next: 0 });
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
      const isIn = (path: string): boolean => path.slice(0, Math.max(0, path.lastIndexOf("/"))) === folder;
      if (candidate.state === "waiting" && candidate.paths.some(isIn)) {
        this.#touch(candidate);
      }
    }
  }

  doubted(root: RootFolder): void {
    for (const candidate of this.#options.table.candidates(root)) {
      if (candidate.state === "waiting" || candidate.state === "settled") {
        this.requeue(candidate);
      }
    }
  }

  #touch(candidate: Candidate): void {
    if (candidate.state === "looking") {
      candidate.isStale = true;
    } else if (candidate.state === "waiting" || candidate.state === "settled" || candidate.state === "ready") {
      if (candidate.state !== "waiting") {
        candidate.enter("waiting");
      }
      this.#options.clock.soon(candidate, () => this.requeue(candidate));
    }
  }

  /** Sorts some of the files that were listed into their sets. */
  #sort(): void {
    const arrivals = this.#arrivals[0];
    if (arrivals === undefined) {
      return;
    }
    const { root, folder, names } = arrivals;
    for (const name of names.slice(arrivals.next, arrivals.next + BATCH)) {
      const candidate = this.#options.table.add(root, pathOf(folder, name));
      if (candidate?.isWhole === true) {
        this.requeue(candidate);
      }
    }
    arrivals.next += BATCH;
    if (arrivals.next >= names.length) {
      this.#arrivals.shift();
    }
  }

  /** Looks at some of the sets that are queued. */
  async #look(): Promise<void> {
    const room = this.#options.maxReady - this.#ready.length;
    const batch = this.#queue.splice(0, Math.min(BATCH, room)).filter(({ state }) => state === "queued");
    const looks = batch.map((candidate) => candidate.beginLook());
    const inspections = await this.#options.inspector.inspect(batch.flatMap((candidate) => candidate.absolutePaths));
    let at = 0;
    for (const [index, candidate] of batch.entries()) {
      const own = inspections.slice(at, at + candidate.paths.length);
      at += candidate.paths.length;
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
    const { clock, onProgress, onRefused, onCleared } = this.#options;
    if (ruling.kind === "settled") {
      candidate.enter("settled");
    } else if (ruling.kind === "refused") {
      candidate.settled = ruling.versions;
      candidate.enter("settled");
      onRefused(candidate, ruling.reason, ruling.error);
    } else if (ruling.kind === "ready") {
      candidate.enter("ready");
      candidate.finding = ruling.finding;
      this.#ready.push(ruling.finding);
      onCleared(candidate);
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

  /** Takes note that a file has gone. */
  #lose(candidate: Candidate, path: string): void {
    this.#settling.delete(candidate);
    candidate.enter("partial");
    this.#options.table.remove(candidate, path);
    this.#options.onCleared(candidate);
  }

  #nextReady(): Finding | undefined {
    for (let finding = this.#ready.shift(); finding !== undefined; finding = this.#ready.shift()) {
      if (this.#ready.length * 2 <= this.#options.maxReady) {
        this.#wake.call();
      }
      if (finding.candidate.finding === finding) {
        return finding;
      }
    }
    return undefined;
  }

  #handOver(finding: Finding): Finding {
    finding.candidate.settled = finding.versions;
    finding.candidate.enter("settled");
    return finding;
  }

  #hasWork(): boolean {
    const hasRoom = this.#ready.length < this.#options.maxReady;
    return hasRoom && (this.#queue.length > 0 || this.#arrivals.length > 0);
  }
}

function pathOf(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
