import { arrayBytes, type DType, type NdArray, scalarAt, viewData } from "@npystream/codec";

/** What {@link toOrt} needs of `onnxruntime-node`, `onnxruntime-web` or `onnxruntime-common`. */
export interface OrtModule<Tensor> {
  /** Class of its tensors. */
  readonly Tensor: {
    /** Makes one. */
    new (type: never, data: never, dims: readonly number[]): Tensor;
  };
}

/** Types that ONNX Runtime has under the names that NumPy has for them; text is `string` there. */
const ORT_TYPES: ReadonlySet<DType> = new Set<DType>([
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "float32",
  "float64",
]);

/**
 * Makes a tensor of ONNX Runtime of an array, without a copy where the elements lie in C order. The module is passed in;
 * nothing is imported.
 *
 * ONNX Runtime reads the inputs of `run` later than the call, so that a pooled batch has to wait for it: `await
 * session.run(...)` before the next batch is asked for. Memory that threads share is copied, since onnxruntime-node
 * refuses it.
 *
 * @example
 * const { scores } = await session.run({ input: toOrt(ort, batch.features) });
 *
 * @throws TypeError for a dtype that ONNX Runtime does not have, such as complex64.
 */
export function toOrt<Tensor>(ort: OrtModule<Tensor>, array: NdArray): Tensor {
  // The module has a signature for each type, which a structural one cannot list.
  const Tensor = ort.Tensor as new (type: string, data: unknown, dims: readonly number[]) => Tensor;
  if (array.dtype === "str") {
    const { type, data, offset, size } = array.contiguous();
    return new Tensor(
      "string",
      Array.from({ length: size }, (_, i) => scalarAt(type, data, offset + i)),
      array.shape,
    );
  }
  if (!ORT_TYPES.has(array.dtype)) {
    throw new TypeError(
      `ONNX Runtime has no tensors of ${array.dtype}: name another type with as, float32 for example`,
    );
  }
  const bytes = arrayBytes(array);
  const own = bytes.buffer instanceof ArrayBuffer ? bytes : new Uint8Array(bytes);
  return new Tensor(array.dtype, viewData(array.type, own), array.shape);
}
