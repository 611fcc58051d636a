import { NdArray } from "@npystream/codec";

/** What a model has learnt. */
export interface Parameters {
  /** float64 `[columns, classes]` */
  readonly weights: NdArray<"float64">;
  /** float64 `[classes]` */
  readonly bias: NdArray<"float64">;
}

/**
 * Multinomial logistic regression over typed arrays, fitted by mini-batch gradient descent.
 *
 * Rows are in C order: a matrix `[n, columns]` is one typed array of `n * columns` numbers.
 */
export class SoftmaxRegression {
  readonly #columns: number;
  readonly #classes: number;
  /** `[columns, classes]` */
  readonly #weights: Float64Array;
  readonly #bias: Float64Array;

  /** Makes a model of what one has learnt. */
  constructor({ weights, bias }: Parameters) {
    const [columns = 0, classes = 0] = weights.shape;
    this.#columns = columns;
    this.#classes = classes;
    this.#weights = weights.contiguous().data.slice();
    this.#bias = bias.contiguous().data.slice();
  }

  /** Makes a model that knows nothing: every class is equally likely. */
  static untrained(columns: number, classes: number): SoftmaxRegression {
    return new SoftmaxRegression({
      weights: NdArray.from(new Float64Array(columns * classes), [columns, classes]),
      bias: NdArray.from(new Float64Array(classes)),
    });
  }

  /** Gives what it has learnt so far, as copies. */
  parameters(): Parameters {
    return {
      weights: NdArray.from(this.#weights.slice(), [this.#columns, this.#classes]),
      bias: NdArray.from(this.#bias.slice()),
    };
  }

  /** Computes the probability of every class: rows `[n, columns]` in, `[n, classes]` out, each row adding up to 1. */
  probabilities(rows: Float32Array): Float32Array {
    const count = rows.length / this.#columns;
    const result = new Float32Array(count * this.#classes);
    const scores = new Float64Array(this.#classes);
    for (let row = 0; row < count; row++) {
      this.#score(rows, row, scores);
      result.set(scores, row * this.#classes);
    }
    return result;
  }

  /**
   * Takes one step down the gradient of the mean cross-entropy of a batch.
   *
   * @returns the mean cross-entropy before the step
   */
  learn(rows: Float32Array, labels: Int32Array, rate: number): number {
    const [columns, classes] = [this.#columns, this.#classes];
    const weightGradient = new Float64Array(columns * classes);
    const biasGradient = new Float64Array(classes);
    const scores = new Float64Array(classes);
    let loss = 0;
    for (const [row, truth] of labels.entries()) {
      this.#score(rows, row, scores);
      loss -= Math.log(scores[truth] ?? 0);
      scores[truth] = (scores[truth] ?? 0) - 1; // now the gradient by the scores
      addInto(biasGradient, 0, scores, 1);
      for (let column = 0; column < columns; column++) {
        addInto(weightGradient, column * classes, scores, rows[row * columns + column] ?? 0);
      }
    }
    addInto(this.#weights, 0, weightGradient, -rate / labels.length);
    addInto(this.#bias, 0, biasGradient, -rate / labels.length);
    return loss / labels.length;
  }

  /** Writes the class probabilities of one row into `scores`. */
  #score(rows: Float32Array, row: number, scores: Float64Array): void {
    scores.set(this.#bias);
    for (let column = 0; column < this.#columns; column++) {
      const value = rows[row * this.#columns + column] ?? 0;
      const from = column * this.#classes;
      addInto(scores, 0, this.#weights.subarray(from, from + this.#classes), value);
    }
    softmax(scores);
  }
}

/** Finds the class of the highest probability in each row of `[n, classes]`; the first where several are equal. */
export function mostLikely(probabilities: Float32Array, classes: number): BigInt64Array {
  return BigInt64Array.from({ length: probabilities.length / classes }, (_, row) => {
    const one = probabilities.subarray(row * classes, (row + 1) * classes);
    return BigInt(one.indexOf(Math.max(...one)));
  });
}

/** `target[at + i] += source[i] * factor` */
function addInto(target: Float64Array, at: number, source: Float64Array, factor: number): void {
  if (factor === 0) {
    return; // half of all pixels are blank
  }
  for (let i = 0; i < source.length; i++) {
    target[at + i] = (target[at + i] ?? 0) + (source[i] ?? 0) * factor;
  }
}

/** Turns scores into probabilities in place; the highest score is taken off first, so that nothing overflows. */
function softmax(scores: Float64Array): void {
  const highest = Math.max(...scores);
  let sum = 0;
  for (const [i, score] of scores.entries()) {
    scores[i] = Math.exp(score - highest);
    sum += scores[i] ?? 0;
  }
  for (const [i, score] of scores.entries()) {
    scores[i] = score / sum;
  }
}
