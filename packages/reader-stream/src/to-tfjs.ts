import { arrayBytes, type NdArray, viewData } from "@npystream/codec";
import { refusePooled } from "./pooled-memory.ts";

/** What {@link toTfjs} needs of `@tensorflow/tfjs` or `@tensorflow/tfjs-core`. */
export interface TfjsModule<Tensor> {
  /** Makes a tensor of values. */
  tensor(values: never, shape: never, dtype: never): Tensor;
}

/**
 * Makes a tensor of TensorFlow.js of an array of float32 or int32. The module is passed in; nothing is imported.
 *
 * TensorFlow.js keeps the memory that it is given, without a copy where the elements lie in C order: what is written to the
 * array later is in the tensor too. A pooled batch, whose memory is taken back, is refused for that.
 *
 * @example
 * const dataset = await openDataset({ features: { from: "x.npy", as: "float32" } });
 * for await (const { features } of dataset.batches({ size: 32 })) {
 *   const x = toTfjs(tf, features);
 *   // ...
 *   x.dispose();
 * }
 *
 * @throws TypeError for another dtype, and for an array of a pooled batch.
 */
export function toTfjs<Tensor>(tf: TfjsModule<Tensor>, array: NdArray): Tensor {
  if (array.dtype !== "float32" && array.dtype !== "int32") {
    throw new TypeError(
      `TensorFlow.js has tensors of float32 and int32, not of ${array.dtype}: open the field with as: "float32" or "int32"`,
    );
  }
  refusePooled(array, "TensorFlow.js");
  const { tensor } = tf as unknown as {
    tensor(values: unknown, shape: readonly number[], dtype: string): Tensor;
  };
  return tensor(viewData(array.type, arrayBytes(array)), [...array.shape], array.dtype);
}
