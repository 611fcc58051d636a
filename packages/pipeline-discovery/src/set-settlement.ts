import type { Settlement } from "./delivered-set.ts";
import type { Quarantine } from "./quarantine.ts";
import type { SetAssembly } from "./set-assembly.ts";
import type { Finding } from "./set-candidate.ts";
import { publishSetEvent, type SetEvent } from "./set-events.ts";
import type { SetLedger } from "./set-ledger.ts";

/** What {@link SetSettlement} works with. */
export interface SetSettlementOptions {
  readonly pipeline: string;
  readonly quarantine: Quarantine;
  readonly assembly: SetAssembly;
}

/** Keeps account of the sets that were delivered, in the ledger where there is one, until each is settled. */
export class SetSettlement implements Settlement {
  readonly #options: SetSettlementOptions;
  #book: SetLedger | undefined;
  #isEnding = false;
  #inFlight = 0;
  #done = 0;

  constructor(options: SetSettlementOptions) {
    this.#options = options;
  }

  /** Sets that were delivered and are not settled. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Sets that were acknowledged. */
  get done(): number {
    return this.#done;
  }

  /** Writes to a ledger from now on, and closes it at the end. */
  writeTo(book: SetLedger): void {
    this.#book = book;
  }

  /**
   * Takes note that a set is delivered; `false` where it may not be, since the same one was.
   *
   * @throws NpyError `ERR_LEDGER_IO` where nothing can be written down any more.
   */
  deliver(finding: Finding): boolean {
    if (this.#book?.claim(finding) === false) {
      finding.candidate.forgetSettled();
      this.#options.assembly.requeue(finding.candidate);
      return false;
    }
    this.#inFlight += 1;
    this.#publish("delivered", finding);
    return true;
  }

  async acked(finding: Finding): Promise<void> {
    await this.#book?.done(finding);
    this.#done += 1;
    this.#publish("done", finding);
    await this.#settled();
  }

  async released(finding: Finding): Promise<void> {
    // Waited for, since the next look asks the ledger whether somebody has the set.
    await this.#book?.released(finding);
    this.#publish("released", finding);
    await this.#settled();
    if (isAsDelivered(finding)) {
      finding.candidate.forgetSettled();
      this.#options.assembly.requeue(finding.candidate);
    }
  }

  async quarantined(finding: Finding, error: Error): Promise<void> {
    await this.#book?.quarantined(finding, error);
    this.#publish("quarantined", finding, error.message);
    await this.#settled();
    if (isAsDelivered(finding)) {
      this.#options.quarantine.add(finding.candidate, error.message, error);
    }
  }

  changed({ candidate }: Finding): void {
    this.#options.assembly.requeue(candidate);
  }

  /** Delivers no more: the ledger is closed when the last set that is in flight was settled. */
  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#inFlight === 0) {
      await this.close();
    }
  }

  /** Closes the ledger, whatever is in flight. */
  async close(): Promise<void> {
    await this.#book?.close();
  }

  async #settled(): Promise<void> {
    this.#inFlight -= 1;
    if (this.#isEnding) {
      await this.end();
    }
  }

  #publish(event: SetEvent["event"], { candidate, generation }: Finding, reason?: string): void {
    publishSetEvent(() => {
      const { key, root } = candidate;
      const { pipeline } = this.#options;
      return { event, pipeline, key, root: root.path, generation, ...(reason === undefined ? {} : { reason }) };
    });
  }
}

/** Whether what is there of a set is still the generation that was delivered. */
function isAsDelivered({ candidate, generation }: Finding): boolean {
  return candidate.hasSettled && candidate.settledGeneration === generation;
}
