import { PendingRows } from "./npy-row-writer.ts";
import type { OpenShard } from "./open-shard.ts";
import { PendingChunk } from "./push-stream.ts";
import type { EncodedRows } from "./row-encoder.ts";

/** Rows of every array that all go into one shard. */
export class WholeChunk extends PendingChunk {
  readonly #rest: PendingRows[];

  constructor(shard: OpenShard, arrays: readonly EncodedRows[]) {
    super();
    this.#rest = shard.files.map(
      ({ gather }, index) => new PendingRows(gather, undefined, arrays[index]?.pieces ?? []),
    );
  }

  /** Copies what there is room for; tells whether that is all. */
  take(): boolean {
    // Each file has its own room, so one that is full does not hold the others up.
    return this.#rest.map((rows) => rows.take()).every(Boolean);
  }

  async write(): Promise<void> {
    for (const rows of this.#rest) await rows.write();
  }
}

/** What gives one shard after another. */
export interface ShardSeries {
  /** Gives a shard with room, and counts as many of `rows` as go into it. */
  next(rows: number): Promise<{ readonly shard: OpenShard; readonly rows: number }>;
  /** Is told that all that was counted is written. */
  written(): Promise<void>;
}

/** Rows of every array that fill the shard, and go on in the next one and maybe further ones. */
export class SplitChunk extends PendingChunk {
  readonly #series: ShardSeries;
  readonly #cutters: readonly PieceCutter[];
  #left: number;

  /**
   * @param rows - Rows of each array.
   */
  constructor(arrays: readonly EncodedRows[], rows: number, series: ShardSeries) {
    super();
    this.#series = series;
    this.#cutters = arrays.map(({ pieces }) => new PieceCutter(pieces));
    this.#left = rows;
  }

  async write(): Promise<void> {
    while (this.#left > 0) {
      const { shard, rows } = await this.#series.next(this.#left);
      for (const [index, { gather, rowBytes }] of shard.files.entries()) {
        for (const piece of this.#cutters[index]?.cut(rows * rowBytes) ?? []) await gather.write(piece);
      }
      this.#left -= rows;
      await this.#series.written();
    }
  }
}

/** Cuts pieces of bytes where others end than they do. */
class PieceCutter {
  readonly #pieces: Iterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(pieces: Iterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.iterator]();
  }

  /** Gives the next `byteLength` bytes as views. */
  *cut(byteLength: number): Generator<Uint8Array, void> {
    for (let left = byteLength; left > 0; ) {
      if (this.#piece.length === 0) {
        const { done, value } = this.#pieces.next();
        if (done) return;
        this.#piece = value;
      }
      const piece = this.#piece.subarray(0, left);
      this.#piece = this.#piece.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }
}
