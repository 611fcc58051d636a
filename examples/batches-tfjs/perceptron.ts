import { NdArray } from "@npystream/codec";
import type { FieldStats } from "@npystream/reader-stream";
import * as tf from "@tensorflow/tfjs-core";

const HIDDEN = 32;
const CLASSES = 10;
const LEARNING_RATE = 0.005;

/** Values of every layer for one batch. */
interface Layers {
  /** `[n, columns]` */
  readonly inputs: tf.Tensor2D;
  /** `[n, HIDDEN]` */
  readonly hidden: tf.Tensor2D;
  /** `[n, CLASSES]` */
  readonly scores: tf.Tensor2D;
}

/** A network of one hidden layer over standardized features, in TensorFlow.js. */
export class Perceptron {
  readonly #mean: tf.Tensor1D;
  readonly #scale: tf.Tensor1D;
  readonly #w1: tf.Variable<tf.Rank.R2>;
  readonly #b1: tf.Variable<tf.Rank.R1>;
  readonly #w2: tf.Variable<tf.Rank.R2>;
  readonly #b2: tf.Variable<tf.Rank.R1>;
  readonly #optimizer: tf.Optimizer = tf.train.adam(LEARNING_RATE);

  /** @param stats - Of the features that it will learn from. */
  constructor({ mean, std }: FieldStats) {
    const columns = mean.length;
    this.#mean = tf.tensor1d([...mean]);
    // A pixel that is blank everywhere is only shifted.
    this.#scale = tf.tensor1d(std.map((value) => (value === 0 ? 1 : value)));
    // Seeded, so that every run is the same.
    this.#w1 = tf.variable(tf.randomNormal<tf.Rank.R2>([columns, HIDDEN], 0, Math.sqrt(2 / columns), "float32", 1));
    this.#b1 = tf.variable(tf.zeros<tf.Rank.R1>([HIDDEN]));
    this.#w2 = tf.variable(tf.randomNormal<tf.Rank.R2>([HIDDEN, CLASSES], 0, Math.sqrt(1 / HIDDEN), "float32", 2));
    this.#b2 = tf.variable(tf.zeros<tf.Rank.R1>([CLASSES]));
  }

  /**
   * Takes one step on a batch, and disposes of its tensors. The gradients are written out, since tfjs-core by itself brings
   * none to Node; with all of `@tensorflow/tfjs` it is `optimizer.minimize(() => loss)`.
   *
   * @param features - float32 `[n, columns]`
   * @param labels - int32 `[n]`
   * @returns the mean cross-entropy before the step
   */
  learn(features: tf.Tensor, labels: tf.Tensor): number {
    const loss = tf.tidy(() => {
      const { inputs, hidden, scores } = this.#layers(features);
      const truth = tf.cast(tf.oneHot(labels, CLASSES), "float32");
      const probabilities = tf.softmax(scores);
      const byScores = tf.div(tf.sub(probabilities, truth), inputs.shape[0]) as tf.Tensor2D;
      const byHidden = tf.mul(tf.matMul(byScores, this.#w2, false, true), tf.step(hidden)) as tf.Tensor2D;
      this.#optimizer.applyGradients({
        [this.#w1.name]: tf.matMul(inputs, byHidden, true),
        [this.#b1.name]: tf.sum(byHidden, 0),
        [this.#w2.name]: tf.matMul(hidden, byScores, true),
        [this.#b2.name]: tf.sum(byScores, 0),
      });
      return tf.neg(tf.mean(tf.log(tf.sum(tf.mul(probabilities, truth), 1)))).dataSync()[0] ?? Number.NaN;
    });
    tf.dispose([features, labels]);
    return loss;
  }

  /** Tells the most likely class of each row, and disposes of `features`. */
  predict(features: tf.Tensor): Int32Array {
    const classes = tf.tidy(() => tf.argMax(this.#layers(features).scores, 1).dataSync<"int32">());
    tf.dispose(features);
    return classes;
  }

  /** Gives the weights by name, for NumPy. */
  arrays(): Record<string, NdArray> {
    const tensors = { mean: this.#mean, scale: this.#scale, w1: this.#w1, b1: this.#b1, w2: this.#w2, b2: this.#b2 };
    return Object.fromEntries(
      Object.entries(tensors).map(([name, tensor]) => [name, NdArray.from(tensor.dataSync<"float32">(), tensor.shape)]),
    );
  }

  #layers(features: tf.Tensor): Layers {
    const inputs = tf.div(tf.sub(features, this.#mean), this.#scale) as tf.Tensor2D;
    const hidden = tf.relu(tf.add(tf.matMul(inputs, this.#w1), this.#b1)) as tf.Tensor2D;
    return { inputs, hidden, scores: tf.add(tf.matMul(hidden, this.#w2), this.#b2) as tf.Tensor2D };
  }
}
