/** What runs on a Node with and on one without Float16Array: codec over float16 data of NumPy's. */
import { decodeNpy, encodeNpy, fromNested, NdArray, NpyParser, type TypedArray, viewData } from "@npystream/codec";

/** Files that NumPy wrote, in base64. */
export interface Float16Input {
  /** A `.npy` of all 65,536 bit patterns. */
  readonly little: string;
  /** The same in the other byte order. */
  readonly big: string;
  /** A `.npy` of doubles to round. */
  readonly doubles: string;
}

/** What codec makes of them; bytes are in base64. */
export interface Float16Output {
  /** Constructors of the data: decoded in either order, parsed, made, viewed, cast, set. */
  readonly constructors: readonly string[];
  /** All values as float64: taken one by one, cast, and cast by way of float32. */
  readonly values: readonly string[];
  /** Both files encoded again, and the second by way of copies in another order. */
  readonly encoded: readonly string[];
  /** The doubles as float16: cast, and set one by one. */
  readonly halves: readonly string[];
}

/** Decodes, casts, copies and encodes. */
export function runFloat16(input: Float16Input): Float16Output {
  const little = float16Of(input.little);
  const big = float16Of(input.big);
  const doubles = decodeNpy(fromBase64(input.doubles)).astype("float64");
  const cast = doubles.astype("float16");
  const set = fromNested(doubles.toNested(), "float16");
  const parts = [...new NpyParser().push(fromBase64(input.big))];
  const parsed = parts.flatMap((part) => (part.kind === "rows" ? [part.rows.data] : []));
  const made = [NdArray.zeros("float16", [2]).data, viewData("float16", new Uint8Array(4))];
  const copied = big.reshape([256, 256]).transpose().contiguous().transpose().contiguous();
  return {
    constructors: [little.data, big.data, ...parsed, ...made, cast.data, set.data].map((data) => data.constructor.name),
    values: [
      Float64Array.from({ length: little.size }, (_, i) => little.get(i)),
      little.astype("float64").data,
      little.astype("float32").astype("float64").data,
    ].map(toBase64),
    encoded: [little, big, copied.reshape([65_536])].map((array) => toBase64(encodeNpy(array))),
    halves: [cast.data, set.data].map(toBase64),
  };
}

function float16Of(base64: string): NdArray<"float16"> {
  const array = decodeNpy(fromBase64(base64), { strict: true });
  if (array.dtype !== "float16") throw new TypeError(`expected float16, not ${array.dtype}`);
  // What the dtype says is what the data is.
  return array as unknown as NdArray<"float16">;
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

function toBase64(data: TypedArray): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}
