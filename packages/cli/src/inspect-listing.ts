import type { Descr, DescrField } from "@npystream/codec";
import { exactBytes, humanBytes } from "./byte-size.ts";
import type { TextStyle } from "./command-io.ts";
import type { ArrayReport, MemberReport } from "./inspection.ts";
import { printable } from "./printable-text.ts";
import { textRepr } from "./python-repr.ts";
import { shapeText } from "./shape-text.ts";

/** Words a `.npy` for people, a line a property. */
export function arrayListing(path: string, fileBytes: number, array: ArrayReport, style: TextStyle): string {
  const properties = [
    ["dtype", dtypeText(array)],
    ["shape", shapeText(array.shape)],
    ["order", array.order],
    ["version", array.version],
    ["data offset", String(array.dataOffset)],
    ["data bytes", exactBytes(array.byteLength)],
    ["file bytes", exactBytes(fileBytes)],
  ];
  const lines = properties.map(([name = "", value]) => `  ${style.dim(name.padEnd(11))}  ${value}`);
  return [style.bold(printable(path)), ...lines, ""].join("\n");
}

const COLUMNS = [
  "member",
  "dtype",
  "shape",
  "order",
  "version",
  "data offset",
  "data bytes",
  "method",
  "in file",
  "alignment",
];
/** Columns that read better from the right. */
const NUMBERS: ReadonlySet<string> = new Set(["data offset", "data bytes", "in file", "alignment"]);

/** Words an `.npz` for people, a line a member. */
export function archiveListing(
  path: string,
  fileBytes: number,
  members: readonly MemberReport[],
  style: TextStyle,
): string {
  const count = members.length === 1 ? "1 member" : `${members.length} members`;
  const head = `${style.bold(printable(path))}  npz, ${count}, ${humanBytes(fileBytes)}`;
  if (members.length === 0) return `${head}\n`;
  const table = [COLUMNS, ...members.map(memberCells)];
  const widths = COLUMNS.map((_, column) =>
    table.reduce((width, cells) => Math.max(width, cells[column]?.length ?? 0), 0),
  );
  const lines = table.map((cells, row) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return NUMBERS.has(COLUMNS[column] ?? "") ? cell.padStart(width) : cell.padEnd(width);
    });
    const line = `  ${padded.join("  ")}`.trimEnd();
    return row === 0 ? style.dim(line) : line;
  });
  return [head, ...lines, ""].join("\n");
}

function memberCells({ name, array, method, compressedSize, alignment }: MemberReport): string[] {
  const storage = [method, exactBytes(compressedSize), alignment === undefined ? "-" : String(alignment)];
  if (array === undefined) return [printable(name), "-", "-", "-", "-", "-", "-", ...storage];
  const { shape, order, version, dataOffset, byteLength } = array;
  const header = [dtypeText(array), shapeText(shape), order, version, String(dataOffset), exactBytes(byteLength)];
  return [printable(name), ...header, ...storage];
}

function dtypeText({ dtype, descr }: ArrayReport): string {
  return printable(`${dtype} ${descrText(descr)}`);
}

/** Words a type as Python writes its descr: `<f4`, `[('x', '<f4'), ('n', '<i8', (2,))]`. */
function descrText(descr: Descr): string {
  return typeof descr === "string" ? descr : fieldsText(descr);
}

function fieldsText(fields: readonly DescrField[]): string {
  const words = fields.map(([label, descr, shape]) => {
    const name = typeof label === "string" ? textRepr(label) : `(${label.map(textRepr).join(", ")})`;
    const type = typeof descr === "string" ? textRepr(descr) : fieldsText(descr);
    return `(${name}, ${type}${shape === undefined ? "" : `, ${shapeText(shape)}`})`;
  });
  return `[${words.join(", ")}]`;
}
