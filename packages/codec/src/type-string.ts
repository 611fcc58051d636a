import { type ByteOrder, nativeByteOrder } from "./byte-order.ts";
import { type DType, dtypeInfo, dtypes, isDType } from "./dtype.ts";
import { NpyError } from "./npy-error.ts";

/** What a type string says. */
export interface ParsedTypeString {
  readonly dtype: DType;
  readonly byteOrder: ByteOrder;
}

const dtypesByChars: ReadonlyMap<string, DType> = new Map(dtypes.map((dtype) => [dtypeInfo(dtype).typeChars, dtype]));

/**
 * Reads NumPy's type string (`<f4`, `|b1`, `=i8`, `f4`, `?`) or dtype name (`float32`).
 *
 * @throws NpyError `ERR_NPY_OBJECT` for pickled objects, which are code; `ERR_NPY_DTYPE` for a type that is not read.
 */
export function parseTypeString(text: string): ParsedTypeString {
  const mark = text[0] ?? "";
  const chars = "<>=|".includes(mark) && mark !== "" ? text.slice(1) : text;
  if (chars === "O" || chars === "O4" || chars === "O8") {
    throw new NpyError(
      "ERR_NPY_OBJECT",
      `dtype ${JSON.stringify(text)} holds pickled Python objects, which are code and never unpickled`,
    );
  }
  const named = chars === "?" ? "bool" : mark !== chars[0] || !isDType(text) ? undefined : text;
  const dtype = named ?? dtypesByChars.get(chars);
  if (dtype === undefined) {
    throw new NpyError("ERR_NPY_DTYPE", `dtype ${JSON.stringify(text.slice(0, 80))} is not one that is read`);
  }
  const opposite = nativeByteOrder === "little" ? "big" : "little";
  const swapped = mark === (nativeByteOrder === "little" ? ">" : "<");
  return { dtype, byteOrder: swapped && dtypeInfo(dtype).itemSize > 1 ? opposite : nativeByteOrder };
}

/** Writes the type string NumPy writes for `dtype` in the machine's byte order: `<f4`, `|u1`. */
export function formatTypeString(dtype: DType): string {
  const { itemSize, typeChars } = dtypeInfo(dtype);
  return `${itemSize === 1 ? "|" : nativeByteOrder === "little" ? "<" : ">"}${typeChars}`;
}
