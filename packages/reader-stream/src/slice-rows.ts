import {
  type AxisIndex,
  type ByteReadOptions,
  type DType,
  type ElementType,
  type ResolvedRange,
  resolveIndex,
  resolveRange,
  shapeSize,
  stridesOf,
} from "@npystream/codec";
import { allocateBytes } from "./allocate-bytes.ts";
import { copyElements } from "./copy-elements.ts";
import type { RowReader } from "./row-reader.ts";
import type { ShardList } from "./shard-list.ts";

/** What a slice takes of one axis of the array that it is of. */
interface SliceAxis extends ResolvedRange {
  /** Whether one index was taken, so that the slice has no such axis. */
  readonly isDropped: boolean;
}

/** The rows of a slice; nothing is read before they are asked for. */
export class SliceRows<D extends DType = DType> implements RowReader<D> {
  readonly type: ElementType<D>;
  readonly shape: readonly number[];
  readonly length: number;
  readonly rowBytes: number;
  readonly #shards: ShardList<D>;
  readonly #axes: readonly SliceAxis[];

  private constructor(shards: ShardList<D>, axes: readonly SliceAxis[]) {
    this.type = shards.type;
    this.shape = axes.filter(({ isDropped }) => !isDropped).map(({ length }) => length);
    this.length = this.shape[0] ?? 1;
    this.rowBytes = shapeSize(this.shape.slice(1), this.type.itemSize) * this.type.itemSize;
    this.#shards = shards;
    this.#axes = axes;
  }

  /** The whole array as a slice. */
  static of<D extends DType>(shards: ShardList<D>): SliceRows<D> {
    const axes = shards.shape.map((length) => ({ start: 0, step: 1, length, isDropped: false }));
    return new SliceRows(shards, axes);
  }

  /** Whether rows follow each other in the source, as they do where the first axis that is left is not the innermost. */
  get isRowMajor(): boolean {
    return this.#shards.isRowMajor;
  }

  get isSequential(): boolean {
    return this.#shards.isSequential;
  }

  /**
   * Selects from the slice with NumPy's basic indexing.
   *
   * @throws RangeError for an index outside its axis, a step of 0 or more ranges than axes.
   */
  slice(ranges: readonly AxisIndex[]): SliceRows<D> {
    if (ranges.length > this.shape.length) {
      throw new RangeError(`${ranges.length} ranges for ${this.shape.length} axes`);
    }
    let at = 0;
    const axes = this.#axes.map((axis) => (axis.isDropped ? axis : selectFrom(axis, ranges[at] ?? null, at++)));
    return new SliceRows(this.#shards, axes);
  }

  async readRows(into: Uint8Array, start: number, options?: ByteReadOptions): Promise<void> {
    if (into.length === 0) return;
    const rows = into.length / this.rowBytes;
    const first = this.#axes.findIndex(({ isDropped }) => !isDropped);
    const axes = this.#axes.map((axis, index) =>
      index === first ? { ...axis, start: axis.start + start * axis.step, length: rows } : axis,
    );
    if (axes.every(({ step }) => step > 0)) {
      await this.#shards.readBox(axes, into, options);
      return;
    }
    // Read forward and turned round in memory.
    const bytes = allocateBytes(into.length);
    await this.#shards.readBox(axes.map(ascending), bytes, options);
    const shape = axes.map(({ length }) => length);
    const strides = stridesOf(shape, "C");
    const isBackward = (axis: number): boolean => (axes[axis]?.step ?? 1) < 0;
    const offset = strides.reduce((sum, stride, i) => sum + (isBackward(i) ? stride * ((shape[i] ?? 1) - 1) : 0), 0);
    const turned = strides.map((stride, axis) => (isBackward(axis) ? -stride : stride));
    copyElements(this.type, bytes, { shape, strides: turned, offset }, into);
  }

  fork(): RowReader<D> {
    return new SliceRows(this.#shards.fork(), this.#axes);
  }

  release(): Promise<void> {
    return this.#shards.release();
  }
}

function selectFrom(axis: SliceAxis, range: AxisIndex, index: number): SliceAxis {
  if (range === null) return axis;
  if (typeof range === "number") {
    const at = resolveIndex(range, axis.length, index);
    return { start: axis.start + at * axis.step, step: 1, length: 1, isDropped: true };
  }
  const { start, step, length } = resolveRange(range, axis.length);
  return { start: axis.start + start * axis.step, step: step * axis.step, length, isDropped: false };
}

/** The same indices from the lowest on. */
function ascending({ start, step, length }: ResolvedRange): ResolvedRange {
  return step > 0 ? { start, step, length } : { start: start + (length - 1) * step, step: -step, length };
}
