import { type DType, type DTypeLike, type ElementType, elementType, isNpyError } from "@npystream/codec";
import { createNpyWriteStream, createNpzWriter, type NpyWriteStream, writeNpy } from "@npystream/writer-stream";
import { ArrayFile, type ArrayName } from "./array-file.ts";
import { ArrayRows, type RowSource } from "./array-rows.ts";
import { CastRows } from "./cast-rows.ts";
import { writeCsv, writeNdjson } from "./cat-lines.ts";
import type { CommandIo } from "./command-io.ts";
import { convertFailure } from "./convert-failure.ts";
import { arrayName, type ConvertTarget, textFormat } from "./convert-target.ts";
import type { FileReference } from "./file-reference.ts";
import type { RowRange } from "./row-range.ts";
import { TextArray } from "./text-array.ts";
import { writeTextFile } from "./text-file.ts";
import { UsageError } from "./usage-error.ts";

/** What `npystream convert` was asked for. */
export interface ConvertOptions {
  /** Element type to cast to, or of what is read from text. @defaultValue that of the array; of text float64 */
  readonly dtype?: string;
  /** Rows of the array, or of each array. @defaultValue all */
  readonly rows?: RowRange;
  /** Whether members of an `.npz` are deflated. @defaultValue false */
  readonly compress?: boolean;
  /** Multiple at which the data of stored members begins. @defaultValue 64 */
  readonly align?: 64 | "page";
  /** Whether an existing file is replaced. @defaultValue false */
  readonly overwrite?: boolean;
}

/** An array that was written. */
export interface ConvertedArray {
  /** Name in an `.npz`. */
  readonly member?: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What was written. */
export interface Converted {
  readonly path: string;
  readonly kind: ConvertTarget["format"];
  readonly arrays: readonly ConvertedArray[];
  /** Bytes of the file. */
  readonly byteLength: number;
  /** Members of the `.npz` that was read which are no arrays, and so not in the one that was written. */
  readonly leftOut?: readonly string[];
}

/**
 * Writes an array, or the arrays of an archive, in another format.
 *
 * @param signal - Aborts the writing: nothing is left of it.
 * @throws `signal.reason`; NpyError and system errors where a file is bad, {@link UsageError} where the options do not fit them.
 */
export async function convert(
  source: FileReference,
  target: ConvertTarget,
  options: ConvertOptions,
  io: CommandIo,
  signal: AbortSignal,
): Promise<Converted> {
  try {
    return await convertTo(source, target, options, io, signal);
  } catch (error) {
    throw convertFailure(error);
  }
}

async function convertTo(
  source: FileReference,
  target: ConvertTarget,
  options: ConvertOptions,
  io: CommandIo,
  signal: AbortSignal,
): Promise<Converted> {
  const type = options.dtype === undefined ? undefined : askedType(options.dtype);
  if (target.format !== "npz" && (options.compress !== undefined || options.align !== undefined)) {
    throw new UsageError("--compress and --align are for an OUT that is an .npz");
  }
  if (target.member !== undefined && target.format !== "npz") throw new UsageError("only an .npz has names of arrays");
  const format = textFormat(source);
  if (format === undefined) {
    await using file = await ArrayFile.open(source.path, io.stdin);
    return await convertArrays(file, source, target, options, type, signal);
  }
  const array = new TextArray(source.path, format, type ?? elementType("float64"), options.rows);
  if (target.format === "npy") {
    const overwrite = options.overwrite === true;
    const out = createNpyWriteStream(target.path, { dtype: array.type, overwrite, signal });
    return await writeRows(out, array, target);
  }
  if (target.format !== "npz") throw new UsageError("IN or OUT is an .npy or .npz; text is not written as other text");
  const name = target.member ?? arrayName(source);
  await using archive = createNpzWriter(target.path, { ...archiveOptions(options), signal });
  const written = await writeRows(archive.member(name, { dtype: array.type }), array, target);
  const { byteLength } = await archive.finish();
  return { ...written, arrays: written.arrays.map((only) => ({ member: name, ...only })), byteLength };
}

async function convertArrays(
  file: ArrayFile,
  source: FileReference,
  target: ConvertTarget,
  options: ConvertOptions,
  type: ElementType | undefined,
  signal: AbortSignal,
): Promise<Converted> {
  const names = namesOf(file, source);
  if (target.format === "npz") return await writeArchive(file, names, source, target, options, type, signal);
  const [only, ...others] = names;
  if (only === undefined || others.length > 0) {
    const list = names.map(({ name }) => name).join(", ");
    throw new UsageError(
      only === undefined
        ? `${source.path} holds no array`
        : `${source.path} holds ${names.length} arrays (${list}) and ${target.path} one: name it, as ${source.path}#${only.name}`,
    );
  }
  await using handle = await file.openNpy(file.kind === "npz" ? only.stored : source.member);
  const rows = castRows(new ArrayRows(handle, options.rows), type);
  const { overwrite = false, rows: _ } = options;
  const array = { dtype: rows.type.dtype, shape: rows.shape };
  const { path, format: kind } = target;
  if (kind === "npy") {
    if (rows.rank > 0)
      return await writeRows(createNpyWriteStream(path, { ...shapeOf(rows), overwrite, signal }), rows, target);
    const { byteLength } = await writeNpy(path, await rows.read(), { overwrite, signal });
    return { path, kind, arrays: [array], byteLength };
  }
  const write = kind === "csv" ? writeCsv : writeNdjson;
  const byteLength = await writeTextFile(path, overwrite, (output) => write(rows, output), signal);
  return { path, kind, arrays: [array], byteLength };
}

async function writeArchive(
  file: ArrayFile,
  names: readonly ArrayName[],
  source: FileReference,
  target: ConvertTarget,
  options: ConvertOptions,
  type: ElementType | undefined,
  signal: AbortSignal,
): Promise<Converted> {
  if (target.member !== undefined && names.length !== 1) {
    throw new UsageError(`${source.path} holds ${names.length} arrays, and ${target.path}#${target.member} is one`);
  }
  await using archive = createNpzWriter(target.path, { ...archiveOptions(options), signal });
  const arrays: ConvertedArray[] = [];
  for (const { name, stored } of names) {
    const member = target.member ?? name;
    try {
      await using handle = await file.openNpy(file.kind === "npz" ? stored : undefined);
      const rows = castRows(new ArrayRows(handle, options.rows), type);
      const { dtype, shape } =
        rows.rank === 0
          ? await archive.write(member, await rows.read())
          : await pushAll(archive.member(member, shapeOf(rows)), rows);
      arrays.push({ member, dtype, shape });
    } catch (error) {
      throw isNpyError(error) ? error.locate({ member: name }) : error;
    }
  }
  const { byteLength } = await archive.finish();
  const converted = { path: target.path, kind: "npz" as const, arrays, byteLength };
  const others = (file.archive?.members ?? []).filter(
    ({ name }) => !name.endsWith(".npy") && !name.startsWith(".npystream/"),
  );
  if (source.member !== undefined || others.length === 0) return converted;
  return { ...converted, leftOut: others.map(({ name }) => name) };
}

/** The arrays that are converted, with the names they get. */
function namesOf(file: ArrayFile, source: FileReference): readonly ArrayName[] {
  if (file.kind === "npz" && source.member === undefined) return file.arrays;
  return [{ name: arrayName(source), stored: source.member ?? "" }];
}

function castRows(rows: RowSource, type: ElementType | undefined): RowSource {
  return type === undefined ? rows : new CastRows(rows, type);
}

function shapeOf({ type, shape }: RowSource): { dtype: DTypeLike; rowShape: readonly number[]; rows: number } {
  return { dtype: type, rowShape: shape.slice(1), rows: shape[0] ?? 0 };
}

async function writeRows(
  out: NpyWriteStream,
  rows: Pick<RowSource, "chunks" | "type">,
  { path, format: kind }: ConvertTarget,
): Promise<Converted> {
  const { dtype, shape, byteLength } = await pushAll(out, rows);
  return { path, kind, arrays: [{ dtype, shape }], byteLength };
}

async function pushAll(out: NpyWriteStream, rows: Pick<RowSource, "chunks">): ReturnType<NpyWriteStream["finish"]> {
  await using stream = out;
  for await (const chunk of rows.chunks()) await stream.push(chunk);
  return await stream.finish();
}

function archiveOptions({ compress = false, align = 64, overwrite = false }: ConvertOptions) {
  return { compress, align, overwrite };
}

function askedType(text: string): ElementType {
  try {
    return elementType(text);
  } catch (error) {
    if (isNpyError(error)) throw new UsageError(`--dtype ${text}: ${error.message}`);
    throw error;
  }
}
