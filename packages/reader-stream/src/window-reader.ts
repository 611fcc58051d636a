import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import type { ByteReadOptions } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import type { BatchCounts } from "./batch-metrics.ts";
import { eachConcurrently } from "./each-concurrently.ts";
import type { RowFields } from "./row-fields.ts";
import type { OrderWindow, RowRun } from "./row-order.ts";

/** A window whose rows are there. */
export interface LoadedWindow {
  readonly window: OrderWindow;
  /** Bytes of its rows, one behind the other, by field. */
  readonly bytes: ReadonlyMap<string, Uint8Array>;
}

/** Where a window is in the whole run of a lane. */
export interface WindowPlace {
  readonly epoch: number;
  readonly window: OrderWindow;
}

/** Reads under way at once. */
const CONCURRENCY = 4;
/** Runs that lie no further apart than this, in bytes, are read together: a page costs as much as the call for it. */
const GAP_BYTES = 4096;
/** What is read is never more than this many times what is taken. */
const MAX_AMPLIFICATION = 4;
/** Longest single read in bytes. */
const MAX_READ_BYTES = 4 << 20;
/** Reads up to here are tried while the thread waits (measured on 16 KiB in the page cache: 8 us, a promise takes 40). */
const MOST_SYNC_BYTES = 64 << 10;
/** A read that takes longer waits for a disk, or the thread had to give way to others. */
const SLOW_MS = 0.5;
/** After so many of them in a window the rest is not waited for by the thread. */
const MOST_SLOW_READS = 16;
/** Longest time of reads one after another without anything else having a turn. */
const TURN_MS = 1;

interface Slot {
  readonly buffers: Map<string, Uint8Array>;
  place: WindowPlace | undefined;
  loading: Promise<LoadedWindow> | undefined;
}

/** Reads windows of one lane into memory that is used again: one to copy from, and one being read where there are two. */
export class WindowReader {
  readonly #fields: RowFields;
  readonly #windowRows: number;
  readonly #slots: readonly Slot[];
  readonly #next: (place: WindowPlace) => WindowPlace | undefined;
  readonly #counts: BatchCounts;
  readonly #options: ByteReadOptions;

  /**
   * @param windows - Windows that are held.
   * @param windowRows - Rows of the longest one.
   * @param next - Gives the window behind another.
   */
  constructor(
    fields: RowFields,
    sizes: { readonly windows: number; readonly windowRows: number },
    next: (place: WindowPlace) => WindowPlace | undefined,
    counts: BatchCounts,
    options: ByteReadOptions,
  ) {
    this.#fields = fields;
    this.#windowRows = sizes.windowRows;
    this.#slots = Array.from({ length: sizes.windows }, () => ({
      buffers: new Map(),
      place: undefined,
      loading: undefined,
    }));
    this.#next = next;
    this.#counts = counts;
    this.#options = options;
  }

  /**
   * Gives a window that is read, and begins to read the next one. What was given before is overwritten: it has to be copied
   * from before the next call.
   */
  async load(place: WindowPlace): Promise<LoadedWindow> {
    const slot = this.#slots.find((one) => isSame(one.place, place)) ?? (await this.#begin(place, undefined));
    try {
      const loaded = await (slot.loading as Promise<LoadedWindow>);
      const next = this.#slots.length > 1 ? this.#next(place) : undefined;
      if (next !== undefined && !this.#slots.some((one) => isSame(one.place, next))) await this.#begin(next, slot);
      return loaded;
    } catch (error) {
      // Asked for again, it is read again.
      slot.place = undefined;
      throw error;
    }
  }

  /** Resolves when no read is under way any more, and gives the memory up. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#slots.map(({ loading }) => loading));
    for (const slot of this.#slots) {
      for (const { length } of slot.buffers.values()) this.#counts.release(length);
      slot.buffers.clear();
      slot.place = undefined;
    }
  }

  async #readRows(name: string, start: number, into: Uint8Array, pace: ReadPace): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const isDone = await pace.tryNow(into.length, () => this.#fields.readRowsSync?.(name, start, into) ?? false);
    if (!isDone) await this.#fields.readRows(name, start, into, this.#options);
  }

  async #begin(place: WindowPlace, inUse: Slot | undefined): Promise<Slot> {
    const slot =
      this.#slots.find((one) => one !== inUse && one.place === undefined) ?? this.#slots.find((one) => one !== inUse);
    if (slot === undefined) throw new TypeError("there is no window to read into");
    await slot.loading?.catch(() => undefined);
    slot.place = place;
    slot.loading = this.#read(place.window, slot.buffers);
    slot.loading.catch(() => undefined);
    return slot;
  }

  async #read(window: OrderWindow, buffers: Map<string, Uint8Array>): Promise<LoadedWindow> {
    const bytes = new Map<string, Uint8Array>();
    const pace = new ReadPace();
    const jobs: (() => Promise<void>)[] = [];
    for (const name of this.#fields.names) {
      const rowBytes = this.#fields.rowBytes(name);
      let buffer = buffers.get(name);
      if (buffer === undefined) {
        buffer = allocateBytes(this.#windowRows * rowBytes);
        this.#counts.take(buffer.length);
        buffers.set(name, buffer);
      }
      const into = buffer.subarray(0, window.length * rowBytes);
      bytes.set(name, into);
      if (rowBytes > 0)
        for (const read of mergeRuns(window.runs, rowBytes)) jobs.push(() => this.#readRuns(name, read, into, pace));
    }
    this.#counts.windows++;
    await eachConcurrently(jobs, CONCURRENCY, (job) => job());
    return { window, bytes };
  }

  async #readRuns(
    name: string,
    { runs, start, stop, slot }: MergedRead,
    into: Uint8Array,
    pace: ReadPace,
  ): Promise<void> {
    const rowBytes = this.#fields.rowBytes(name);
    const rows = runs.reduce((sum, { count }) => sum + count, 0);
    this.#counts.reads++;
    this.#counts.bytes += (stop - start) * rowBytes;
    const target = into.subarray(slot * rowBytes, (slot + rows) * rowBytes);
    if (rows === stop - start) return await this.#readRows(name, start, target, pace);
    const all = allocateBytes((stop - start) * rowBytes);
    await this.#readRows(name, start, all, pace);
    let at = 0;
    for (const run of runs) {
      const from = (run.start - start) * rowBytes;
      target.set(all.subarray(from, from + run.count * rowBytes), at);
      at += run.count * rowBytes;
    }
  }
}

/** Tells whether short reads are answered from the page cache, so that waiting for one costs less than a promise. */
class ReadPace {
  #slowReads = 0;
  #sinceTurn = 0;

  /** Reads at once, unless it would be long or reads have turned out to be slow; `false` if it was not done. */
  async tryNow(byteLength: number, read: () => boolean): Promise<boolean> {
    if (this.#slowReads > MOST_SLOW_READS || byteLength > MOST_SYNC_BYTES) return false;
    // Whatever else there is to do has its turn meanwhile.
    if (this.#sinceTurn > TURN_MS) {
      this.#sinceTurn = 0;
      await setImmediate();
    }
    const before = performance.now();
    const isDone = read();
    const took = performance.now() - before;
    this.#sinceTurn += took;
    if (took > SLOW_MS) this.#slowReads++;
    return isDone;
  }
}

/** Runs that one read takes, and the place in the window of the first row. */
interface MergedRead {
  readonly runs: RowRun[];
  readonly start: number;
  stop: number;
  readonly slot: number;
}

function mergeRuns(runs: readonly RowRun[], rowBytes: number): MergedRead[] {
  const gapRows = Math.floor(GAP_BYTES / rowBytes);
  const mostRows = Math.floor(MAX_READ_BYTES / rowBytes);
  const reads: MergedRead[] = [];
  let read: MergedRead | undefined;
  let slot = 0;
  for (const run of runs) {
    const stop = run.start + run.count;
    const taken = read === undefined ? 0 : slot - read.slot + run.count;
    const isJoined =
      read !== undefined &&
      run.start <= read.stop + gapRows &&
      stop - read.start <= Math.min(mostRows, MAX_AMPLIFICATION * taken);
    if (read !== undefined && isJoined) {
      read.runs.push(run);
      read.stop = stop;
    } else {
      read = { runs: [run], start: run.start, stop, slot };
      reads.push(read);
    }
    slot += run.count;
  }
  return reads;
}

function isSame(known: WindowPlace | undefined, asked: WindowPlace): boolean {
  return known?.epoch === asked.epoch && known.window.start === asked.window.start;
}
