import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type ElementType, isNpyError, type NdArray, NpyParser } from "@npystream/codec";
import { root } from "../package/workspace.ts";
import { jsonValues } from "./json-values.ts";

/** What NumPy has for an array of its own tests. */
export interface NumpyArray {
  readonly descr: unknown;
  readonly shape: readonly number[];
  readonly order: "C" | "F";
  readonly values: unknown;
}

/** Where the parts of an element are: the name, the offset and the layout of each field. */
export interface ElementLayout {
  readonly itemSize: number;
  readonly shape: readonly number[];
  readonly fields?: readonly (readonly [name: string, offset: number, layout: ElementLayout])[];
}

type Arrays = Readonly<Record<string, NumpyArray & { readonly layout: ElementLayout }>>;

/** What `test/fixtures/numpy_cases.py` saved. */
export interface NumpyCases {
  /** Twelve scalar types in two byte orders and six layouts, and five arrays of records: `NAME.npy`. */
  readonly basic: Arrays;
  /** Records with padding, offsets, titles and sub-arrays: `NAME.npy`. */
  readonly padded: Arrays;
  /** Arrays whose headers are long or in UTF-8: `NAME.npy`. */
  readonly headers: Arrays;
  /** Headers whose growing axis has some digits; `spaces` is the length of the one field's name. */
  readonly growth: readonly {
    readonly spaces: number;
    readonly fortran: boolean;
    readonly digits: number;
    readonly header: string;
  }[];
  /** Archives, `NAME.npz`, by member. */
  readonly archives: Readonly<Record<string, Readonly<Record<string, NumpyArray>>>>;
  /** Names of NumPy's own tests by file, or by file and class; none where NumPy came without them. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
  /** Version of NumPy. */
  readonly numpy: string;
}

/** A folder of the cases. */
export interface NumpyCasesFolder {
  readonly cases: NumpyCases;
  readonly folder: string;
  readonly at: (name: string) => string;
  readonly read: (name: string) => Buffer;
  /** Has NumPy compare `ours-NAME` with the array or archive NAME, and gives what differs. */
  readonly check: () => readonly string[];
}

/** Has NumPy save its cases into a new folder, which the caller removes. */
export function makeNumpyCases(): NumpyCasesFolder {
  const folder = mkdtempSync(join(tmpdir(), "npystream-numpy-cases-"));
  const python = (what: string): string =>
    execFileSync("python3", [join(root, "test/fixtures/numpy_cases.py"), what, folder], {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
  const at = (name: string): string => join(folder, name);
  return {
    cases: JSON.parse(python("make")) as NumpyCases,
    folder,
    at,
    read: (name) => readFileSync(at(name)),
    check: () => JSON.parse(python("check")) as readonly string[],
  };
}

/** Where the parts of an element type are. */
export function layoutOf({ itemSize, fields }: ElementType, shape: readonly number[] = []): ElementLayout {
  if (fields === undefined) return { itemSize, shape };
  return {
    itemSize,
    shape,
    fields: fields.map(({ name, offset, type, shape: inner }) => [name, offset, layoutOf(type, inner)]),
  };
}

/** What is wrong with an array, or nothing. */
export function faultOf(array: NdArray, { shape, order, values }: NumpyArray): string {
  if (!isDeepStrictEqual(array.shape, shape)) return `shape ${array.shape}`;
  if (array.size > 1 && array.order !== order) return `order ${array.order}`;
  return isDeepStrictEqual(jsonValues(array), values) ? "" : "values";
}

/** The code that an act fails with, `none` where it does not, or what else it throws. */
export function codeOf(act: () => unknown): string {
  try {
    act();
    return "none";
  } catch (error) {
    return isNpyError(error) ? error.code : String(error);
  }
}

/** The code that parsing the bytes as they come fails with. */
export function parsedCode(bytes: Uint8Array): string {
  const parser = new NpyParser();
  return codeOf(() => {
    for (const _ of parser.push(bytes));
    parser.finish();
  });
}
