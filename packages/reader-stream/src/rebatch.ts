import type { Transform } from "node:stream";
import { arrayBytes, checkOptionKeys, type ElementType, RowChunk, viewData } from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { rowsOf } from "./chunk-rows.ts";
import { ChunkSplitter } from "./chunk-splitter.ts";
import { type ChunkTransformOptions, ONE_CHUNK } from "./chunk-transform.ts";

/**
 * Cuts row chunks anew, so that each has exactly `rows` rows; the last one has what is left. Single elements (0-d arrays)
 * are taken as one row each.
 *
 * Chunks that lie in one of those that come are views of it, and keep its memory as long as they are kept; one that
 * crosses a border is a copy, in C order. The rows of one chunk to be, and a copy of them, are in memory. `rowStart` is
 * that of the first row.
 *
 * @throws RangeError where `rows` is no whole number from 1, TypeError for an unknown option. The stream fails with
 *   TypeError for a chunk of another dtype or row shape than those before it.
 * @example
 * await pipeline(handle.stream(), rebatch(256), async (batches) => {
 *   for await (const batch of batches) console.log(batch.length);
 * });
 */
export function rebatch(rows: number, options: ChunkTransformOptions = {}): Transform {
  checkOptionKeys("rebatch", options, ["signal"]);
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`rows is a whole number from 1, not ${rows}`);
  return new RebatchTransform(rows, options.signal);
}

class RebatchTransform extends ChunkSplitter<RowChunk> {
  readonly #rows: number;
  #index = 0;
  #type: ElementType | undefined;
  #rowShape: readonly number[] = [];
  /** Views of the rows that wait for more. */
  #waiting: RowChunk[] = [];
  #waitingRows = 0;

  constructor(rows: number, signal: AbortSignal | undefined) {
    super(ONE_CHUNK, signal);
    this.#rows = rows;
  }

  protected override *split(chunk: RowChunk): Iterable<RowChunk> {
    this.#check(chunk);
    const { length } = chunk;
    for (let row = 0; row < length; ) {
      const rows = Math.min(this.#rows - this.#waitingRows, length - row);
      const piece = rows === length && chunk.rank > 0 ? chunk : rowsOf(chunk, row, rows);
      row += rows;
      this.#waitingRows += rows;
      this.#waiting.push(piece);
      if (this.#waitingRows === this.#rows) yield this.#take();
    }
  }

  protected override *rest(): Iterable<RowChunk> {
    if (this.#waitingRows > 0) yield this.#take();
  }

  /** Makes one chunk of the rows that wait. */
  #take(): RowChunk {
    const [first, ...others] = this.#waiting as [RowChunk, ...RowChunk[]];
    const rows = this.#waitingRows;
    this.#waiting = [];
    this.#waitingRows = 0;
    if (others.length === 0) return first;
    const { type, rowStart } = first;
    const bytes = allocateBytes((first.byteLength / first.length) * rows);
    let filled = 0;
    for (const piece of [first, ...others]) {
      bytes.set(arrayBytes(piece), filled);
      filled += piece.byteLength;
    }
    return new RowChunk({ dtype: type, shape: [rows, ...this.#rowShape], data: viewData(type, bytes), rowStart });
  }

  #check(chunk: RowChunk): void {
    const index = this.#index++;
    const { type, shape } = chunk;
    const first = this.#type;
    if (first === undefined) {
      this.#type = type;
      this.#rowShape = shape.slice(1);
      return;
    }
    if (type !== first && (type.dtype !== first.dtype || JSON.stringify(type.descr) !== JSON.stringify(first.descr))) {
      throw new TypeError(
        `chunk ${index} has dtype ${type.dtype}, those before it have ${first.dtype}: cast them first`,
      );
    }
    const rowShape = this.#rowShape;
    if (
      Math.max(1, shape.length) !== rowShape.length + 1 ||
      rowShape.some((extent, axis) => extent !== shape[axis + 1])
    ) {
      throw new TypeError(
        `chunk ${index} has rows of shape [${shape.slice(1).join(", ")}], not [${rowShape.join(", ")}]`,
      );
    }
  }
}
