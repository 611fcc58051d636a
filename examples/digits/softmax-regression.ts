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

  /** Makes a model that knows nothing: every class is equally likely. */
  constructor(columns: number, classes: number) {
    this.#columns = columns;
    this.#classes = classes;
    this.#weights = new Float64Array(columns * classes);
    this.#bias = new Float64Array(classes);
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
  learn(rows: Float32Array, labels: BigInt64Array, rate: number): number {
    const [columns, classes] = [this.#columns, this.#classes];
    const weightGradient = new Float64Array(columns * classes);
    const biasGradient = new Float64Array(classes);
    const scores = new Float64Array(classes);
    let loss = 0;
    for (const [row, label] of labels.entries()) {
      this.#score(rows, row, scores);
      const truth = Number(label);
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
