import { isNpyError, NpyError } from "@npystream/codec";
import type { BatchBytes } from "./batch-buffers.ts";
import type { BatchCounts } from "./batch-metrics.ts";
import type { BatchPlan } from "./batch-plan.ts";
import type { PlannedBatch } from "./batch-schedule.ts";
import { copyRows } from "./copy-rows.ts";
import type { EpochOrder, ShardOrder } from "./epoch-order.ts";
import type { LaneSegment } from "./lane-deal.ts";
import type { MappedFields, RowFields } from "./row-fields.ts";
import type { LaneOrder } from "./row-order.ts";
import { WholeRows } from "./whole-rows.ts";
import { type WindowPlace, WindowReader } from "./window-reader.ts";

/** What a reader of batches works with. */
export interface BatchReaderInit {
  readonly fields: RowFields;
  readonly plan: BatchPlan;
  readonly orders: ShardOrder;
  readonly epochs: number;
  readonly io: "auto" | "map" | "read";
  readonly counts: BatchCounts;
  readonly signal: AbortSignal;
}

/** Fills the memory of batches: from windows, from all rows in memory, from mapped files, or by reads of their own. */
export class BatchReader {
  readonly #init: BatchReaderInit;
  readonly #mapped: MappedFields | undefined;
  readonly #whole: WholeRows | undefined;
  readonly #windows: readonly WindowReader[];
  /**
   * Whether batches are filled one after another: a window makes room for the next one, and a deflated member has one position,
   * from which two batches at once would go back and forth.
   */
  readonly #isInTurn: boolean;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws NpyError `ERR_MAP_UNAVAILABLE` where mapping is asked for and is not to be had. */
  constructor(init: BatchReaderInit, lanes: number) {
    const { fields, plan, counts, signal } = init;
    this.#init = init;
    this.#mapped = mapWhereAsked(init);
    const isWhole = this.#mapped === undefined && plan.reads === "whole";
    this.#whole = isWhole ? new WholeRows(fields, counts, { signal }) : undefined;
    const isWindowed = this.#mapped === undefined && plan.windows > 0;
    this.#windows = Array.from({ length: isWindowed ? lanes : 0 }, (_, lane) => {
      return new WindowReader(fields, plan, (place) => this.#windowBehind(place, lane), counts, { signal });
    });
    this.#isInTurn = isWindowed || fields.names.some((name) => !fields.isRandomAccess(name));
  }

  /** Whether a batch is filled by copies alone, at once: making it ahead waits for nothing. */
  get isResident(): boolean {
    const { names } = this.#init.fields;
    const mapped = this.#mapped;
    if (mapped !== undefined) return names.every((name) => mapped.resident(name) !== undefined);
    return this.#whole?.isLoaded === true;
  }

  /** Fills `bytes` with the rows of a batch; what pads it is zeros. */
  async fill(batch: PlannedBatch, bytes: BatchBytes): Promise<void> {
    if (!this.#isInTurn) return await this.#fill(batch, bytes);
    const filled = this.#turn.then(() => this.#fill(batch, bytes));
    this.#turn = filled.catch(() => undefined);
    await filled;
  }

  /** Resolves when no read is under way any more, and gives memory and mapping up. */
  async close(): Promise<void> {
    await this.#turn;
    for (const windows of this.#windows) await windows.close();
    await this.#whole?.close();
    await this.#mapped?.close();
  }

  async #fill(batch: PlannedBatch, bytes: BatchBytes): Promise<void> {
    const { order, position, taken, rows } = batch;
    if (this.#windows.length > 0) await this.#fillFromWindows(order, order.segments(position, taken), bytes);
    else await this.#fillRows(order.rows(position, taken), bytes, 0);
    if (rows > taken) await this.#fillUp(batch, bytes);
  }

  async #fillFromWindows(order: EpochOrder, segments: readonly LaneSegment[], bytes: BatchBytes): Promise<void> {
    const { fields, signal } = this.#init;
    for (const { lane, start, count, target, stride } of segments) {
      const from = order.lanes[lane] as LaneOrder;
      for (let done = 0; done < count; ) {
        signal.throwIfAborted();
        const window = from.window?.(start + done);
        if (window === undefined) throw new TypeError("an order without windows is not read by windows");
        const loaded = await this.#windows[lane]?.load({ epoch: order.epoch, window });
        const taken = Math.min(count - done, window.start + window.length - start - done);
        const slots = new Float64Array(taken);
        for (let i = 0; i < taken; i++) slots[i] = window.slot(start + done + i);
        const copy = { rows: slots, count: taken, target: target + done * stride, stride };
        for (const [name, source] of loaded?.bytes ?? []) {
          copyRows(source, bytes.get(name) as Uint8Array, fields.rowBytes(name), copy);
        }
        done += taken;
      }
    }
  }

  /** Fills from row `target` on with rows wherever they lie. */
  async #fillRows(ids: Float64Array, bytes: BatchBytes, target: number): Promise<void> {
    const { fields, counts, signal } = this.#init;
    const mapped = this.#mapped;
    const isRun = ids.length > 0 && ids.every((id, i) => id === (ids[0] as number) + i);
    // Whether the files are as they were, before their pages are looked at, and after.
    mapped?.check();
    const behind = mapped?.rowsBehind(ids) ?? ids;
    const whole = await this.#whole?.load();
    const reads = fields.names.map(async (name) => {
      const rowBytes = fields.rowBytes(name);
      const into = (bytes.get(name) as Uint8Array).subarray(target * rowBytes, (target + ids.length) * rowBytes);
      if (whole === undefined) counts.bytes += into.length;
      const resident = whole?.get(name) ?? mapped?.resident(name);
      if (resident !== undefined) {
        resident.copy(behind, into);
        return;
      }
      counts.reads++;
      if (mapped !== undefined) await mapped.gatherRows(name, ids, into, { signal });
      else if (isRun) await fields.readRows(name, ids[0] as number, into, { signal });
      else await fields.gatherRows(name, ids, into, { signal });
    });
    // What fails is told once nothing writes to the memory any more.
    await Promise.allSettled(reads);
    await Promise.all(reads);
    mapped?.check();
  }

  /** Fills what the last batch of an epoch is short of: with the first rows again, or with zeros. */
  async #fillUp({ order, taken, rows, wraps }: PlannedBatch, bytes: BatchBytes): Promise<void> {
    const { fields } = this.#init;
    if (!wraps) {
      for (const name of fields.names) (bytes.get(name) as Uint8Array).fill(0, taken * fields.rowBytes(name));
      return;
    }
    for (let filled = taken; filled < rows; ) {
      const count = Math.min(rows - filled, order.length);
      await this.#fillRows(order.rows(0, count), bytes, filled);
      filled += count;
    }
  }

  #windowBehind({ epoch, window }: WindowPlace, lane: number): WindowPlace | undefined {
    const { orders, epochs } = this.#init;
    const from = orders.epoch(epoch).lanes[lane] as LaneOrder;
    const position = window.start + window.length;
    if (position < from.length) return { epoch, window: from.window?.(position) ?? window };
    if (epoch + 1 >= epochs) return undefined;
    const next = orders.epoch(epoch + 1).lanes[lane];
    const first = next === undefined || next.length === 0 ? undefined : next.window?.(0);
    return first && { epoch: epoch + 1, window: first };
  }
}

function mapWhereAsked({ fields, plan, io }: BatchReaderInit): MappedFields | undefined {
  if (io === "read") return undefined;
  // Files that are read in long pieces are not mapped unasked.
  const isMapped = io === "map" || (plan.blockRows === undefined && plan.reads !== "whole");
  let mapped: MappedFields | undefined;
  try {
    mapped = fields.map?.(isMapped);
  } catch (error) {
    if (io === "auto" && isNpyError(error) && error.code === "ERR_MAP_UNAVAILABLE") return undefined;
    throw error;
  }
  if (mapped !== undefined || io === "auto") return mapped;
  throw new NpyError(
    "ERR_MAP_UNAVAILABLE",
    "a field is not of plain files that are as they were opened: use io: 'read'",
  );
}
