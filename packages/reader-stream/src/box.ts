import type { ResolvedRange } from "@npystream/codec";

/** A box of an array: what is selected of each axis, with steps from 1, outermost axis of the file first. */
export interface Box {
  /** Extent of each axis of the array. */
  readonly shape: readonly number[];
  /** What is selected of each axis; `length` 0 selects nothing. */
  readonly ranges: readonly ResolvedRange[];
  /** Bytes an element. */
  readonly itemSize: number;
}

/** One read of a box: bytes of the file, and the part of the box that lies in them. */
export interface BoxRead {
  /** Position in bytes from the start of the data. */
  readonly position: number;
  /** Bytes to read. */
  readonly byteLength: number;
  /** Position in bytes of the part in the box, laid out in C order. */
  readonly target: number;
  /** Extent of the part on each axis that it has. */
  readonly shape: readonly number[];
  /** Distance in elements from one index of the part to the next, in what was read. */
  readonly strides: readonly number[];
}

/** What bounds the reads of a box. */
export interface BoxLimits {
  /** Bytes between selected ones that are read along, since a read of its own would take longer. */
  readonly gapBytes: number;
  /** Longest read in bytes of more than one run of selected bytes. */
  readonly spanBytes: number;
}

/** An axis of a box, in bytes. */
interface BoxAxis {
  readonly length: number;
  /** From one selected index to the next in the file. */
  readonly stepBytes: number;
  /** From the start of the axis to its first selected index. */
  readonly startBytes: number;
  /** Selected bytes of one index, all inner axes together. */
  readonly selectedBytes: number;
  /** From the first selected byte of one index to its last, inner axes together. */
  readonly spanBytes: number;
  /** Whether all gaps within one index are small enough to be read along. */
  readonly isDense: boolean;
}

/**
 * Plans the reads of a box, in the order of the file. Neighbours are read together where the gaps between them are small;
 * a box without gaps is one read, whatever its size.
 */
export function* planBoxReads(box: Box, limits: BoxLimits): Generator<BoxRead> {
  if (box.ranges.some(({ length }) => length === 0) || box.itemSize === 0) return;
  const axes = measureAxes(box, limits);
  yield* readsFrom(axes, 0, 0, 0, box.itemSize, limits);
}

function measureAxes({ shape, ranges, itemSize }: Box, { gapBytes }: BoxLimits): readonly BoxAxis[] {
  const axes: BoxAxis[] = [];
  let [axisBytes, selectedBytes, spanBytes, isDense] = [itemSize, itemSize, itemSize, true];
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const { start, step, length } = ranges[axis] as ResolvedRange;
    const stepBytes = step * axisBytes;
    axes.unshift({ length, stepBytes, startBytes: start * axisBytes, selectedBytes, spanBytes, isDense });
    isDense &&= length === 1 || stepBytes - spanBytes <= gapBytes;
    spanBytes += (length - 1) * stepBytes;
    selectedBytes *= length;
    axisBytes *= shape[axis] ?? 1;
  }
  return axes;
}

function* readsFrom(
  axes: readonly BoxAxis[],
  depth: number,
  position: number,
  target: number,
  itemSize: number,
  limits: BoxLimits,
): Generator<BoxRead> {
  const axis = axes[depth];
  if (axis === undefined) {
    yield { position, byteLength: itemSize, target, shape: [], strides: [] };
    return;
  }
  const { length, stepBytes, startBytes, selectedBytes, spanBytes, isDense } = axis;
  const first = position + startBytes;
  const inner = axes.slice(depth + 1);
  const innerStart = inner.reduce((total, { startBytes }) => total + startBytes, 0);
  const isWithoutGap = isDense && spanBytes === selectedBytes && (length === 1 || stepBytes === spanBytes);
  const isTogether = isDense && (length === 1 || stepBytes - spanBytes <= limits.gapBytes);
  const perRead = isWithoutGap
    ? length
    : isTogether
      ? Math.max(1, Math.min(length, Math.floor((limits.spanBytes - spanBytes) / stepBytes) + 1))
      : 1;
  if (perRead === 1 && !(isDense && spanBytes <= Math.max(limits.spanBytes, selectedBytes))) {
    for (let i = 0; i < length; i++) {
      yield* readsFrom(axes, depth + 1, first + i * stepBytes, target + i * selectedBytes, itemSize, limits);
    }
    return;
  }
  const innerShape = inner.map((each) => each.length);
  const strides = [stepBytes, ...inner.map((each) => each.stepBytes)].map((bytes) => bytes / itemSize);
  for (let i = 0; i < length; i += perRead) {
    const taken = Math.min(perRead, length - i);
    yield {
      position: first + innerStart + i * stepBytes,
      byteLength: (taken - 1) * stepBytes + spanBytes,
      target: target + i * selectedBytes,
      shape: [taken, ...innerShape],
      strides,
    };
  }
}
