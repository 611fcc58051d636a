import type { DType, ElementType, NdArray } from "@npystream/codec";
import type { ArrayHandle } from "./array-handle.ts";
import type { SourceLike } from "./open-source.ts";

/**
 * Where a field's rows are from: `x.npy`, `set.npz#labels`, any other source, a list of shards, their manifest
 * (`features.manifest.json`, or `set.manifest.json#features` of several arrays), an opened array, or one in memory.
 */
export type FieldSource<D extends DType = DType> = SourceLike | readonly SourceLike[] | ArrayHandle<D> | NdArray<D>;

/** One field of a dataset. */
export interface FieldSpec<E extends DType = DType> {
  /** Where its rows are from. */
  readonly from: FieldSource;
  /**
   * Element type that its rows are delivered as: cast as they are copied, with the meaning of `NdArray.astype`.
   * @defaultValue the type of the array
   */
  readonly as?: E | ElementType<E>;
}

/** Fields by name: a source, or a specification of one. */
export type DatasetFields = Readonly<Record<string, FieldSource | FieldSpec>>;

/** The dtype of each field of a dataset, by name. */
export type DatasetDTypes = Readonly<Record<string, DType>>;

/**
 * The dtypes of the fields that `openDataset` is given, as far as the compiler can know them: of what is cast and of
 * arrays with a known dtype; of any file it is `DType`.
 */
export type DTypesOf<F> = { readonly [N in keyof F & string]: FieldDType<F[N]> };

/** What `as` names, else what the source is known to hold. Inferred from a literal, which a lookup cannot do. */
export type FieldDType<F> = F extends { readonly as: infer E extends DType }
  ? E
  : F extends { readonly as: ElementType<infer E> }
    ? E
    : F extends { readonly from: infer S }
      ? SourceDType<S>
      : SourceDType<F>;

type SourceDType<S> = S extends ArrayHandle<infer D> ? D : S extends NdArray<infer D> ? D : DType;

/** Rows of every field: one array each. */
export type FieldArrays<T extends DatasetDTypes = DatasetDTypes> = { readonly [N in keyof T & string]: NdArray<T[N]> };

/** What is known of a field without reading its rows. */
export interface FieldInfo<D extends DType = DType> {
  /** Name of the element type that its rows are delivered as. */
  readonly dtype: D;
  /** The element type in full. */
  readonly type: ElementType<D>;
  /** Extent of each axis, the rows of the dataset first. */
  readonly shape: readonly number[];
  /** Shape of one row. */
  readonly rowShape: readonly number[];
  /** Bytes of all rows as they are delivered. */
  readonly byteLength: number;
  /** Whether its rows can be read in any order at the same cost; not so of a plainly deflated member. */
  readonly isRandomAccess: boolean;
}
