import { type DType, dtypeInfo, isDType } from "./dtype.ts";
import { formatTypeString, parseTypeString } from "./type-string.ts";

/** What one element of an array is, in full. */
export interface ElementType<D extends DType = DType> {
  /** Name to branch on and to look up the kind of `data` by. */
  readonly dtype: D;
  /** Bytes an element. */
  readonly itemSize: number;
  /** NumPy's own form of it, in the machine's byte order: `<f4`. */
  readonly descr: string;
}

/** Everything that names an element type: a dtype, a type string of NumPy's, or an element type itself. */
export type DTypeLike<D extends DType = DType> = D | ElementType<D> | (string & {});

const cache = new Map<string, ElementType>();

/**
 * Gives the element type that `like` names: `float32`, `<f4`, `?`. Byte order is that of the machine whatever `like` says.
 *
 * @throws NpyError `ERR_NPY_OBJECT` for pickled objects, `ERR_NPY_DTYPE` for a type there is not.
 */
export function elementType<D extends DType>(like: D | ElementType<D>): ElementType<D>;
export function elementType(like: DTypeLike): ElementType;
export function elementType(like: DTypeLike): ElementType {
  if (typeof like !== "string") return like;
  const known = cache.get(like);
  if (known !== undefined) return known;
  const dtype = isDType(like) ? like : parseTypeString(like).dtype;
  const type = Object.freeze({ dtype, itemSize: dtypeInfo(dtype).itemSize, descr: formatTypeString(dtype) });
  if (isDType(like)) cache.set(like, type);
  return type;
}
