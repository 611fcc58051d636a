import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { NameFields } from "@npystream/codec";
import type { ArraySet, QuarantinedSet } from "./array-set.ts";
import { DeliveredSet } from "./delivered-set.ts";
import type { ResolvedOptions } from "./discover-options.ts";
import type { DiscoveryStats } from "./discovery-stats.ts";
import { FileInspector } from "./file-inspector.ts";
import { IncompleteWatch } from "./incomplete-watch.ts";
import { Quarantine } from "./quarantine.ts";
import { RecheckClock } from "./recheck-clock.ts";
import { RootFolder } from "./root-folder.ts";
import { SetAssembly } from "./set-assembly.ts";
import type { Finding } from "./set-candidate.ts";
import { CompiledContract, type SetContract } from "./set-contract.ts";
import { SetJudge } from "./set-judge.ts";
import { SetLedger } from "./set-ledger.ts";
import { SetNames } from "./set-names.ts";
import { SetSettlement } from "./set-settlement.ts";
import { SetTable } from "./set-table.ts";

/** Milliseconds until it is looked at again whether a ledger that could not be written can. */
const STUCK_MS = 50;
/** Milliseconds until an unfinished file is looked at again without a hint. */
const FIRST_RECHECK_MS = { auto: 250, none: 20 };

/**
 * Complete sets of arrays, as they come into the roots. Made by `discover`.
 *
 * Nothing is looked for until somebody asks for the first set. Several loops may take from it at once, and each set goes
 * to one of them; where one of them ends early, all end. A ledger stays open until every set that was delivered is settled
 * or the discovery is closed.
 */
export class Discovery<F extends object = NameFields, S extends SetContract = SetContract>
  implements AsyncIterable<ArraySet<F, S>>, AsyncDisposable
{
  readonly #options: ResolvedOptions;
  readonly #roles: readonly string[];
  readonly #table: SetTable;
  readonly #roots: readonly RootFolder[];
  readonly #assembly: SetAssembly;
  readonly #quarantine: Quarantine;
  readonly #incomplete: IncompleteWatch;
  readonly #settlement: SetSettlement;
  readonly #names: SetNames;
  readonly #onAbort = (): void => void this.#end({ reason: this.#options.signal?.reason });
  readonly #onFailed = (reason: unknown): void => void this.#end({ reason });
  #waiting: (() => void)[] = [];
  #running: Promise<unknown> | undefined;
  #book: SetLedger | undefined;
  #ending: Promise<void> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  /** What the last changes could not be written to the ledger for. */
  #ledgerFailure: { readonly reason: unknown } | undefined;
  #isListed = false;

  /** @internal */
  constructor(options: ResolvedOptions) {
    const { completion, settleMs, hints, sweepMs, logger, maxPending, onUnmatched } = options;
    const contract = new CompiledContract(options.sets);
    const names = new SetNames(options.names, contract.roles);
    this.#options = options;
    this.#roles = contract.roles;
    this.#names = names;
    this.#table = new SetTable(names, contract.roles);
    this.#quarantine = new Quarantine(logger, options.onQuarantine);
    this.#incomplete = new IncompleteWatch(options, this.#table, this.#quarantine, {
      onEmit: (candidate) => this.#assembly.takeUpIncomplete(candidate),
      onFailed: this.#onFailed,
    });
    this.#assembly = new SetAssembly({
      table: this.#table,
      inspector: new FileInspector({
        needsMarker: completion === "marker",
        mayBlock: hints !== "none",
        digests: options.verify === "digest",
        members: contract.roles,
      }),
      judge: new SetJudge({ names, contract, completion, settleMs }),
      clock: new RecheckClock({ firstMs: FIRST_RECHECK_MS[hints], longestMs: sweepMs }),
      maxReady: maxPending,
      onProgress: () => this.#progress(),
      onRefused: (candidate, refusal) => {
        this.#quarantine.add(candidate, refusal.reason, refusal.error);
        this.#book?.refused(candidate, refusal);
      },
      onCleared: (candidate) => this.#quarantine.remove(candidate),
      onLost: (candidate) => this.#quarantine.suspend(candidate),
      onSettled: (candidate) => this.#quarantine.restore(candidate),
      onFailed: this.#onFailed,
      remember: (candidates) => this.#book?.remember(candidates),
      recall: (finding) => this.#book?.recall(finding) ?? "new",
    });
    const [pipeline, quarantine, assembly] = [options.pipeline, this.#quarantine, this.#assembly];
    this.#settlement = new SetSettlement({ pipeline, quarantine, assembly });
    const rootHints = options.once ? "none" : hints;
    this.#roots = options.roots.map((root) => {
      return new RootFolder(root, { names, hints: rootHints, sweepMs, logger, observer: this.#assembly, onUnmatched });
    });
  }

  /** The sets that are in quarantine now, in the order in which they came. */
  get quarantined(): readonly QuarantinedSet[] {
    return this.#quarantine.sets;
  }

  /** Counts the sets by where they stand. Sets are counted once their files have been sorted, which waits for demand. */
  stats(): DiscoveryStats {
    const now = performance.now();
    let pending = 0;
    let ready = 0;
    let oldest = now;
    for (const candidate of this.#table.candidates()) {
      if (candidate.state === "ready") {
        ready += 1;
      } else if (candidate.state !== "settled") {
        pending += 1;
        oldest = Math.min(oldest, candidate.pendingSince);
      }
    }
    const quarantined = this.#quarantine.size;
    const { inFlight, done } = this.#settlement;
    return { pending, ready, inFlight, done, quarantined, oldestPendingMs: now - oldest };
  }

  /** Delivers sets as a stream of objects, one at a time; destroying it closes the discovery. */
  stream(): Readable {
    return Readable.from(this, { objectMode: true, highWaterMark: 1 });
  }

  /**
   * Delivers sets as they become complete, each state of each once. Rejects with `signal.reason` after an abort.
   */
  [Symbol.asyncIterator](): AsyncIterator<ArraySet<F, S>, undefined> {
    return {
      next: async () => {
        const set = await this.#take();
        return set === undefined ? { done: true, value: undefined } : { done: false, value: set };
      },
      return: async () => {
        await this.#end(undefined);
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Ends the discovery: loops over it end, nothing is watched any more, and a ledger that it opened is closed. Sets that are
   * in flight can then be settled no more. Closing twice is harmless.
   *
   * @throws NpyError `ERR_WRITE_NO_SPACE`, `ERR_LEDGER_IO` where the last changes cannot be written to the ledger.
   */
  async close(): Promise<void> {
    await this.#end(undefined);
    await this.#settlement.close();
    if (this.#failure === undefined && this.#ledgerFailure !== undefined) {
      throw this.#ledgerFailure.reason;
    }
  }

  /** Closes the discovery at the end of an `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #take(): Promise<ArraySet<F, S> | undefined> {
    this.#start();
    while (this.#ending === undefined) {
      if (this.#book?.isStuck === true) {
        // What was delivered now could not be written down, and would be delivered again.
        await sleep(STUCK_MS);
        continue;
      }
      // Begun before the look at what is ready, so that nothing that comes in between is missed.
      const progress = new Promise<void>((resolve) => this.#waiting.push(resolve));
      const finding = await this.#assembly.take();
      if (finding !== undefined && this.#ending === undefined) {
        if (this.#settlement.deliver(finding)) {
          return this.#deliver(finding);
        }
      } else if (this.#options.once && this.#isListed && this.#assembly.isDrained) {
        if (!(await this.#incomplete.report(performance.now()))) {
          await this.#end(undefined);
        }
      } else if (this.#ending === undefined) {
        await progress;
      }
    }
    await this.#ending;
    const failure = this.#failure ?? this.#ledgerFailure;
    if (failure !== undefined) {
      throw failure.reason;
    }
    return undefined;
  }

  #deliver(finding: Finding): ArraySet<F, S> {
    const { key, root } = finding.candidate;
    this.#options.logger.debug({ set: key, root: root.path }, "a set is delivered");
    // Fields and arrays are what the template and the contract say, which types cannot follow to here.
    return new DeliveredSet(finding, this.#roles, this.#settlement, this.#options.pipeline) as unknown as ArraySet<
      F,
      S
    >;
  }

  #start(): void {
    const { signal, once } = this.#options;
    if (this.#running !== undefined || this.#ending !== undefined) {
      return;
    }
    if (signal?.aborted === true) {
      this.#onAbort();
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#running = this.#openBook().then(async () => {
      if (this.#ending === undefined) {
        const loops = [this.#assembly.run(), once ? this.#listOnce() : this.#follow()];
        await Promise.all(loops.map((loop) => loop.catch(this.#onFailed)));
      }
    }, this.#onFailed);
  }

  async #openBook(): Promise<void> {
    const { ledger, logger, pipeline } = this.#options;
    if (ledger !== undefined) {
      const [names, roles, quarantine] = [this.#names, this.#roles, this.#quarantine];
      this.#book = await SetLedger.open(ledger, {
        pipeline,
        names,
        roles,
        hasSeveralRoots: this.#roots.length > 1,
        quarantine,
        logger,
        listener: {
          onReopened: (root, key) => this.#assembly.reopen(root, key),
          onFailed: this.#onFailed,
        },
      });
      this.#settlement.writeTo(this.#book);
    }
  }

  async #listOnce(): Promise<void> {
    for (const root of this.#roots) {
      await root.list();
    }
    this.#isListed = true;
    this.#progress();
  }

  async #follow(): Promise<void> {
    this.#incomplete.start();
    await Promise.all(this.#roots.map((root) => root.follow()));
  }

  #progress(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) {
      resume();
    }
  }

  #end(failure: { readonly reason: unknown } | undefined): Promise<void> {
    if (this.#ending === undefined) {
      this.#failure = failure;
      this.#ending = this.#stop();
      this.#progress();
    }
    return this.#ending;
  }

  async #stop(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#incomplete.stop();
    this.#assembly.close();
    await Promise.all(this.#roots.map((root) => root.close()));
    await this.#running;
    try {
      // Without the ledger nothing can be settled any more.
      await (this.#book?.isLost === true ? this.#settlement.close() : this.#settlement.end());
    } catch (reason) {
      this.#ledgerFailure = { reason };
    }
  }
}
