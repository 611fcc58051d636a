import { formatBlockTable } from "./block-table.ts";
import { type BlockPlan, cutBlocks, planBlocks, tableOf } from "./deflate-blocks.ts";
import { joinBytes } from "./join-bytes.ts";
import type { NdArray } from "./nd-array.ts";
import { npyPieces } from "./npy.ts";
import { checkOptionKeys } from "./option-keys.ts";
import { portableEngine, type ZipDeflater } from "./zip-engine.ts";
import { type ZipAlignment, ZipLayout } from "./zip-layout.ts";

/** One file to put in an archive. */
export interface ZipInput {
  /** Name as stored, `features.npy`. */
  readonly name: string;
  /** Its bytes, in pieces that follow each other. */
  readonly content: readonly Uint8Array[];
  /** Bytes in front of what is aligned and cut into rows: the header of an array. @defaultValue nothing is aligned */
  readonly dataOffset?: number;
  /** Bytes a row, with which blocks end. @defaultValue 0, no rows */
  readonly rowBytes?: number;
  /** The blocks of {@link zipBlocks}, where they were deflated ahead. */
  readonly deflated?: readonly Uint8Array[];
}

/** Options of {@link encodeZip}. */
export interface EncodeZipOptions {
  /** Whether members are deflated, in blocks where they are long. @defaultValue false */
  readonly compress?: boolean;
  /** Deflate level, 0 to 9. @defaultValue 6, as NumPy */
  readonly level?: number;
  /** Multiple at which the data of a stored array begins: 64 for vectors, `'page'` is 4096. @defaultValue 64 */
  readonly align?: ZipAlignment;
  /** Compression and checksum. @defaultValue {@link portableEngine} */
  readonly engine?: ZipDeflater;
}

interface Body {
  readonly method: 0 | 8;
  readonly pieces: readonly Uint8Array[];
  /** The block table, where there is one. */
  readonly table?: Uint8Array;
}

/**
 * Lays files out as a ZIP archive, in pieces to be written one after another; the same files give the same bytes.
 *
 * The data of a stored `.npy` begins at a multiple of 64 in the archive, so that it can be mapped. A deflated one of more
 * than a block has a table of its blocks where the engine can cut blocks, so that a part of it can be inflated. Every
 * local header has ZIP64 sizes, as NumPy's have. The pieces of stored members are the caller's bytes, not copies.
 *
 * @throws TypeError for two files of one name, a name with a NUL or of more than 65,535 bytes, or an option there is not;
 *   RangeError for a level or an alignment there is not.
 */
export function encodeZip(inputs: readonly ZipInput[], options: EncodeZipOptions = {}): Uint8Array[] {
  checkZipOptions("encodeZip", options);
  const { compress = false, level = 6, align = 64, engine = portableEngine } = options;
  const layout = new ZipLayout(align);
  const pieces: Uint8Array[] = [];
  const names = new Set<string>();
  for (const input of inputs) {
    if (names.has(input.name)) throw new TypeError(`two members are named ${JSON.stringify(input.name)}`);
    names.add(input.name);
    const body: Body = compress ? deflate(input, level, engine) : { method: 0, pieces: input.content };
    const place = layout.place(input.name, body.method, input.dataOffset);
    const header = layout.add(place, {
      crc32: input.content.reduce((crc, piece) => engine.crc32(piece, crc), 0),
      compressedSize: lengthOf(body.pieces),
      byteLength: lengthOf(input.content),
      table: body.table,
    });
    pieces.push(header, ...body.pieces);
  }
  pieces.push(...layout.end(engine));
  return pieces;
}

/** Makes the `.npy` of an array a file of an archive, without a copy of elements that lie in order. */
export function zipArray(name: string, array: NdArray): ZipInput {
  const content = npyPieces(array);
  const rowBytes = array.length === 0 ? 0 : array.byteLength / array.length;
  return { name: `${name}.npy`, content, dataOffset: content[0].length, rowBytes };
}

/** Gives the blocks that {@link encodeZip} deflates a file in, each a part of its content in one piece. */
export function zipBlocks(input: ZipInput): Uint8Array[] {
  return [...cutBlocks(input.content, planInput(input))];
}

/** Refuses options of {@link encodeZip} that mean nothing; the alignment is checked where it is used. */
export function checkZipOptions(what: string, options: EncodeZipOptions): void {
  checkOptionKeys(what, options, ["compress", "level", "align", "engine"]);
  const { compress = false, level = 6 } = options;
  if (typeof compress !== "boolean") throw new TypeError(`compress is true or false, not ${String(compress)}`);
  if (!Number.isInteger(level) || level < 0 || level > 9) throw new RangeError(`level is 0 to 9, not ${String(level)}`);
}

function deflate(input: ZipInput, level: number, engine: ZipDeflater): Body {
  const pieces = input.deflated ?? deflatePieces(input, level, engine);
  if (pieces.length < 2) return { method: 8, pieces };
  return { method: 8, pieces, table: formatBlockTable(tableOf(planInput(input), lengthOf(input.content), pieces)) };
}

function deflatePieces(input: ZipInput, level: number, engine: ZipDeflater): readonly Uint8Array[] {
  if (engine.deflateBlock === undefined) return [engine.deflate(joinBytes(input.content), level)];
  const { deflateBlock } = engine;
  const blocks = zipBlocks(input);
  return blocks.map((block, index) => deflateBlock.call(engine, block, level, index === blocks.length - 1));
}

function planInput({ dataOffset = 0, rowBytes = 0 }: ZipInput): BlockPlan {
  return planBlocks(dataOffset, rowBytes);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((total, { length }) => total + length, 0);
}
