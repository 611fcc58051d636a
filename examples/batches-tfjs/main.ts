/**
 * Trains a network of TensorFlow.js on shuffled batches of `.npy` arrays.
 *
 *     node examples/dist/batches-tfjs/main.js [--out DIR]
 */
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { openDataset, toTfjs } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { writeDigitArrays } from "./digit-arrays.ts";
import { Perceptron } from "./perceptron.ts";

const EPOCHS = 12;
const BATCH_ROWS = 32;
const SEED = 7;

/** Beside the source, whether it runs from there or from the build. */
const here = import.meta.dirname;
const example = basename(dirname(here)) === "dist" ? join(here, "..", "..", "batches-tfjs") : here;
const { values } = parseArgs({ options: { out: { type: "string", default: join(example, "run") } } });

// Without the checks of a debug run, and the advice to install a binary package.
tf.enableProdMode();
await tf.setBackend("cpu");

// TensorFlow.js has float32 and int32: labels of int64 are cast as they are copied into a batch.
const paths = await writeDigitArrays(values.out);
await using digits = await openDataset({
  features: { from: paths.features, as: "float32" },
  labels: { from: paths.labels, as: "int32" },
});
const { train, test } = await digits.split({ train: 0.8, test: 0.2 }, { seed: SEED, stratify: "labels" });
const model = new Perceptron(await train.stats("features"));

let loss = 0;
for await (const { features, labels, meta } of train.batches({
  size: BATCH_ROWS,
  shuffle: true,
  seed: SEED,
  epochs: EPOCHS,
})) {
  loss += meta.rows * model.learn(toTfjs(tf, features), toTfjs(tf, labels));
  if (meta.position + meta.rows === train.length) {
    console.log(`epoch ${meta.epoch + 1} of ${EPOCHS}: loss ${(loss / train.length).toFixed(4)}`);
    loss = 0;
  }
}

let right = 0;
for await (const { features, labels } of test.batches({ size: BATCH_ROWS })) {
  const predicted = model.predict(toTfjs(tf, features));
  right += labels.data.reduce((count, label, row) => count + Number(predicted[row] === label), 0);
}
await writeNpz(join(values.out, "weights.npz"), model.arrays(), { overwrite: true });
console.log(`${tf.memory().numTensors} tensors are left`);
console.log(`test accuracy ${(right / test.length).toFixed(4)} (${right} of ${test.length} held-out digits)`);
