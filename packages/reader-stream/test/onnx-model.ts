/** A linear model, `y = x W + b`. */
export interface LinearModel {
  /** `[inputs][outputs]` */
  readonly weights: readonly (readonly number[])[];
  /** `[outputs]` */
  readonly bias: readonly number[];
}

/** Element type `FLOAT` of `onnx.TensorProto`. */
const FLOAT = 1;
/** Version 8 of the format goes with version 13 of the operators. */
const [IR_VERSION, OPSET] = [8, 13];

/**
 * Writes a model with one `Gemm` as ONNX has it: protocol buffers, with the field numbers of `onnx.proto3`. Its input `x`
 * is float32 `[n, inputs]`, its output `y` float32 `[n, outputs]`.
 */
export function gemmModel({ weights, bias }: LinearModel): Uint8Array {
  const node = message(text(1, "x"), text(1, "w"), text(1, "b"), text(2, "y"), text(4, "Gemm"));
  const graph = message(
    bytes(1, node),
    text(2, "linear"),
    bytes(5, tensor("w", [weights.length, bias.length], weights.flat())),
    bytes(5, tensor("b", [bias.length], bias)),
    bytes(11, value("x", weights.length)),
    bytes(12, value("y", bias.length)),
  );
  return message(number(1, IR_VERSION), bytes(7, graph), bytes(8, message(text(1, ""), number(2, OPSET))));
}

function tensor(name: string, dims: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return message(...dims.map((extent) => number(1, extent)), number(2, FLOAT), text(8, name), bytes(9, raw));
}

/** A matrix with any number of rows. */
function value(name: string, columns: number): Uint8Array {
  const shape = message(bytes(1, message(text(2, "n"))), bytes(1, message(number(1, columns))));
  return message(text(1, name), bytes(2, message(bytes(1, message(number(1, FLOAT), bytes(2, shape))))));
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((field) => [...field]));
}

function number(field: number, value: number): Uint8Array {
  return Uint8Array.from([field << 3, ...varint(value)]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, new TextEncoder().encode(value));
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return Uint8Array.from([(field << 3) | 2, ...varint(value.length), ...value]);
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function varint(value: number): number[] {
  const low = value % 128;
  return value < 128 ? [low] : [low | 128, ...varint(Math.floor(value / 128))];
}
