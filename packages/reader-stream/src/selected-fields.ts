import type { ByteReadOptions, ElementType } from "@npystream/codec";
import { copyRows } from "./copy-rows.ts";
import type { MappedFields, RowFields } from "./row-fields.ts";
import type { RowSelection } from "./row-selection.ts";
import { sha256 } from "./sha256.ts";

/** What is read at once is never more than this many times what is taken. */
const MOST_SPAN = 4;

/** Some fields and some rows of others, which they are read from; what is selected of a selection is one selection. */
export class SelectedFields implements RowFields {
  readonly length: number;
  readonly names: readonly string[];
  readonly #from: RowFields;
  readonly #rows: RowSelection;
  #fingerprint: string | undefined;

  private constructor(from: RowFields, names: readonly string[], rows: RowSelection) {
    this.length = rows.length;
    this.names = names;
    this.#from = from;
    this.#rows = rows;
  }

  /** Selects rows, and fields where they are named; what selects all as it is gives the same fields. */
  static of(from: RowFields, rows: RowSelection, names: readonly string[] = from.names): RowFields {
    const isAll = rows.start === 0 && rows.length === from.length && names.join("\n") === from.names.join("\n");
    if (isAll) return from;
    if (from instanceof SelectedFields) return new SelectedFields(from.#from, names, from.#rows.select(rows));
    return new SelectedFields(from, names, rows);
  }

  get fingerprint(): string {
    this.#fingerprint ??= sha256([JSON.stringify([this.#from.fingerprint, this.names]), this.#rows.state]);
    return this.#fingerprint;
  }

  type(name: string): ElementType {
    return this.#from.type(name);
  }

  rowShape(name: string): readonly number[] {
    return this.#from.rowShape(name);
  }

  rowBytes(name: string): number {
    return this.#from.rowBytes(name);
  }

  isRandomAccess(name: string): boolean {
    return this.#from.isRandomAccess(name);
  }

  isRemote(name: string): boolean {
    return this.#from.isRemote(name);
  }

  async readRows(name: string, start: number, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    const rowBytes = this.rowBytes(name);
    if (into.length === 0 || rowBytes === 0) return;
    const { start: first } = this.#rows;
    if (first !== undefined) return await this.#from.readRows(name, first + start, into, options);
    await this.#from.gatherRows(name, this.#rows.slice(start, into.length / rowBytes), into, options);
  }

  /** Reads what lies between the rows too, and picks them out of it. */
  readRowsSync(name: string, start: number, into: Uint8Array): boolean {
    const rowBytes = this.rowBytes(name);
    if (into.length === 0 || rowBytes === 0) return true;
    const { start: first } = this.#rows;
    if (first !== undefined) return this.#from.readRowsSync?.(name, first + start, into) ?? false;
    const rows = Float64Array.from(this.#rows.slice(start, into.length / rowBytes));
    const [lowest, highest] = [rows[0] as number, rows.at(-1) as number];
    const span = highest - lowest + 1;
    if (span > MOST_SPAN * rows.length || rows.some((row) => row < lowest || row > highest)) return false;
    const all = new Uint8Array(span * rowBytes);
    if (!(this.#from.readRowsSync?.(name, lowest, all) ?? false)) return false;
    const within = rows.map((row) => row - lowest);
    copyRows(all, into, rowBytes, { rows: within, count: rows.length, target: 0, stride: 1 });
    return true;
  }

  async gatherRows(name: string, rows: ArrayLike<number>, into: Uint8Array, options?: ByteReadOptions): Promise<void> {
    await this.#from.gatherRows(name, this.#rowsBehind(rows), into, options);
  }

  map(isMapped: boolean): MappedFields | undefined {
    const mapped = this.#from.map?.(isMapped);
    if (mapped === undefined) return undefined;
    return {
      resident: (name) => mapped.resident(name),
      gatherRows: (name, rows, into, options) => mapped.gatherRows(name, this.#rowsBehind(rows), into, options),
      rowsBehind: (rows) => mapped.rowsBehind(this.#rowsBehind(rows)),
      check: () => mapped.check(),
      close: () => mapped.close(),
    };
  }

  #rowsBehind(rows: ArrayLike<number>): Float64Array {
    const behind = new Float64Array(rows.length);
    for (let at = 0; at < rows.length; at++) behind[at] = this.#rows.row(rows[at] as number);
    return behind;
  }
}
