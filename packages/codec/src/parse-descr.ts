import { nativeByteOrder } from "./byte-order.ts";
import { type DType, dtypeInfo, dtypes } from "./dtype.ts";
import type { Descr, DTypeLike, ElementType } from "./element-type.ts";
import { isNpyError } from "./npy-error.ts";
import { type ParsedDescr, parseFields } from "./struct-descr.ts";
import { formatTypeString, parseTypeString } from "./type-string.ts";

const cache = new Map<string, ElementType>();

/** What type strings were read to, which the files of a folder share: a few, since those of text are as many as lengths. */
const readStrings = new Map<string, ParsedDescr>();
const MAX_READ_STRINGS = 64;

/**
 * Gives the element type that `like` names. Its byte order is that of the machine whatever `like` says.
 *
 * @throws NpyError `ERR_NPY_OBJECT` for pickled objects, `ERR_NPY_DTYPE` for a type there is not.
 */
export function elementType<D extends DType>(like: D | ElementType<D>): ElementType<D>;
export function elementType(like: DTypeLike): ElementType;
export function elementType(like: DTypeLike): ElementType {
  if (typeof like !== "string") return "dtype" in like ? like : parseDescr(like).type;
  const known = cache.get(like);
  if (known !== undefined) return known;
  const { type } = parseDescr(like);
  // Names of dtypes are few; type strings of bytes and text are as many as there are files.
  if (dtypes.includes(type.dtype) && type.dtype === like) cache.set(like, type);
  return type;
}

/** Tells whether `value` names a dtype: `float32`, `datetime64[ns]`. */
export function isDType(value: unknown): value is DType {
  if (typeof value !== "string") return false;
  if (value === "struct" || dtypes.includes(value as DType)) return true;
  try {
    return elementType(value).dtype === value;
  } catch (error) {
    if (isNpyError(error)) return false;
    throw error;
  }
}

/**
 * Reads a descr as a file has it.
 *
 * @throws NpyError `ERR_NPY_OBJECT` for pickled objects at any depth, `ERR_NPY_DTYPE` for a type there is not.
 */
export function parseDescr(descr: Descr): ParsedDescr {
  if (typeof descr === "string") {
    const known = readStrings.get(descr);
    if (known !== undefined) return known;
    const { dtype, itemSize, unit, byteOrder } = parseTypeString(descr);
    const { components, entryBytes, kind } = dtypeInfo(dtype);
    const type: ElementType = Object.freeze({
      dtype,
      itemSize,
      stride: itemSize / entryBytes,
      descr: formatTypeString(dtype, itemSize, unit),
      ...(unit === undefined ? {} : { unit: Object.freeze(unit) }),
    });
    const swapUnit = kind === "U" ? 4 : itemSize / components;
    const isSwapped = byteOrder !== nativeByteOrder && itemSize > 0;
    const swaps = isSwapped ? [{ offset: 0, unit: swapUnit, count: itemSize / swapUnit }] : [];
    const parsed: ParsedDescr = Object.freeze({ type, byteOrder, swaps: Object.freeze(swaps) });
    if (readStrings.size < MAX_READ_STRINGS) readStrings.set(descr, parsed);
    return parsed;
  }
  const { fields, descr: native, itemSize, swaps, byteOrders } = parseFields(descr, parseDescr);
  const type: ElementType = Object.freeze({ dtype: "struct", itemSize, stride: itemSize, descr: native, fields });
  const [only, ...others] = byteOrders;
  return { type, byteOrder: others.length > 0 ? "mixed" : (only ?? nativeByteOrder), swaps };
}
