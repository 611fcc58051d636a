/** Part of a batch that one lane gives. */
export interface LaneSegment {
  /** Index of the lane among those of the process. */
  readonly lane: number;
  /** First position in the lane. */
  readonly start: number;
  /** Positions taken. */
  readonly count: number;
  /** Row of the batch that the first one is, and how far apart the others are. */
  readonly target: number;
  readonly stride: number;
}

interface Phase {
  /** First position of the process. */
  readonly start: number;
  /** Position of every lane there. */
  readonly laneStart: number;
  /** Lanes that have rows still. */
  readonly lanes: readonly number[];
}

/**
 * Takes the rows of several lanes in turn, one each; a lane that has ended is passed over. Where it is one lane, its rows
 * come as they are.
 */
export class LaneDeal {
  /** Rows of all lanes together. */
  readonly length: number;
  readonly #phases: readonly Phase[];
  readonly #lanes: number;

  /** @param lengths - Rows of each lane. */
  constructor(lengths: readonly number[]) {
    const phases: Phase[] = [];
    let [start, laneStart] = [0, 0];
    for (const end of [...new Set(lengths)].sort((a, b) => a - b)) {
      const lanes = lengths.flatMap((length, lane) => (length > laneStart ? [lane] : []));
      if (end > laneStart) phases.push({ start, laneStart, lanes });
      start += (end - laneStart) * lanes.length;
      laneStart = end;
    }
    this.length = start;
    this.#phases = phases;
    this.#lanes = lengths.length;
  }

  /** Gives which rows of which lanes positions are, lane by lane. */
  segments(position: number, count: number): LaneSegment[] {
    const segments: LaneSegment[] = [];
    for (const [index, { start, laneStart, lanes }] of this.#phases.entries()) {
      const end = this.#phases[index + 1]?.start ?? this.length;
      const [from, to] = [Math.max(position, start) - start, Math.min(position + count, end) - start];
      for (const [place, lane] of lanes.entries()) {
        const first = Math.max(0, Math.ceil((from - place) / lanes.length));
        const stop = Math.max(0, Math.ceil((to - place) / lanes.length));
        if (stop <= first) continue;
        const target = start + first * lanes.length + place - position;
        segments.push({ lane, start: laneStart + first, count: stop - first, target, stride: lanes.length });
      }
    }
    return segments;
  }

  /** Gives the position of each lane once `position` rows were taken. */
  ends(position: number): number[] {
    const ends = new Array<number>(this.#lanes).fill(0);
    for (const { lane, start, count } of this.segments(0, position)) ends[lane] = start + count;
    return ends;
  }
}
