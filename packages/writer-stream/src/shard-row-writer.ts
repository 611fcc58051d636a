import { formatNpyHeader, NpyError, type NpyErrorLocation, type ShardEntry } from "@npystream/codec";
import type { FileLock } from "./file-lock.ts";
import { OpenShard } from "./open-shard.ts";
import { ProgressClock } from "./progress-clock.ts";
import type { ChunkWriter, PendingChunk } from "./push-stream.ts";
import type { EncodedRows, RowEncoder, RowType } from "./row-encoder.ts";
import { type ShardSeries, SplitChunk, WholeChunk } from "./shard-chunk.ts";
import { removeManifests, ShardManifestFile } from "./shard-manifest-file.ts";
import type { ShardNames } from "./shard-names.ts";
import type { ResolvedShardOptions, ShardWriteResult } from "./shard-write-options.ts";

/** What a {@link ShardRowWriter} is made of. */
export interface ShardRowWriterInit {
  readonly names: ShardNames;
  readonly options: ResolvedShardOptions;
  /** What makes rows into bytes, by role. */
  readonly encoders: ReadonlyMap<string, RowEncoder>;
  /** Whether a chunk is the rows of the one array, and not an object of rows by role. */
  readonly isSingle: boolean;
  readonly lock: FileLock;
  readonly onFailure: (error: unknown) => void;
}

/** Puts rows into one shard after another. One is filled while the one before is being flushed and gets its names. */
export class ShardRowWriter implements ChunkWriter<ShardWriteResult>, ShardSeries {
  readonly location: NpyErrorLocation;
  readonly #init: ShardRowWriterInit;
  readonly #encoders: readonly (readonly [role: string, encoder: RowEncoder])[];
  readonly #progress: ProgressClock;
  readonly #manifest: ShardManifestFile;
  readonly #entries: ShardEntry[] = [];
  #shard: OpenShard | undefined;
  #opening: Promise<OpenShard> | undefined;
  /** The shard before, and its way to its names. */
  #publishing: OpenShard | undefined;
  #published: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #isAborted = false;
  #shards = 0;
  #rows = 0;
  #chunks = 0;
  /** Bytes of the shards before the one under way. */
  #bytes = 0;
  #result: ShardWriteResult | undefined;

  constructor(init: ShardRowWriterInit) {
    this.location = { path: init.names.manifestPath };
    this.#init = init;
    this.#encoders = [...init.encoders];
    this.#progress = new ProgressClock(init.options.onProgress);
    this.#manifest = new ShardManifestFile(init.names, init.options.overwrite);
  }

  /** Bytes taken so far, headers included. */
  get byteLength(): number {
    return this.#bytes + (this.#shard?.byteLength ?? 0);
  }

  take(chunk: unknown): PendingChunk | undefined {
    const shard = this.#shard;
    if (shard !== undefined && this.#takePlain(chunk, shard)) return undefined;
    const { isSingle } = this.#init;
    const arrays = this.#encoders.map(([role, encoder]) =>
      encoder.encode(this.#part(chunk, role), isSingle ? this.#chunks : `${this.#chunks}, ${role}`),
    );
    const rows = this.#commonRows(arrays);
    if (shard === undefined || rows >= shard.mostRows - shard.rows) {
      this.#count(rows);
      return new SplitChunk(arrays, rows, this);
    }
    shard.rows += rows;
    const whole = new WholeChunk(shard, arrays);
    const isTaken = whole.take();
    this.#count(rows);
    return isTaken ? undefined : whole;
  }

  /** The way of most chunks of one array: rows as they lie that fit in, of which nothing is made but their copy. */
  #takePlain(chunk: unknown, shard: OpenShard): boolean {
    const [only, ...others] = this.#encoders;
    const file = shard.files[0];
    if (!this.#init.isSingle || only === undefined || file === undefined || others.length > 0) return false;
    const plain = only[1].plain(chunk);
    if (plain === undefined) return false;
    const rows = only[1].countPlain(plain);
    if (rows >= shard.mostRows - shard.rows || !file.gather.take(plain)) return false;
    shard.rows += rows;
    this.#count(rows);
    return true;
  }

  /** Gives a shard with room, and counts as many of `most` rows as go into it. */
  async next(most: number): Promise<{ readonly shard: OpenShard; readonly rows: number }> {
    const shard = this.#shard ?? (await this.#openNext());
    const rows = Math.min(most, shard.mostRows - shard.rows);
    shard.rows += rows;
    return { shard, rows };
  }

  /** Lets a full shard go. */
  async written(): Promise<void> {
    if (this.#shard?.rows === this.#shard?.mostRows) await this.#publish();
  }

  async finish(): Promise<ShardWriteResult> {
    const { names, options } = this.#init;
    // An array without rows is one empty shard, which tells what it is.
    if (this.#shard === undefined && this.#shards === 0) await this.#openNext();
    await this.#publish();
    await this.#settled();
    if (options.overwrite) await names.removeFrom(this.#shards);
    this.#progress.last(this.#rows, this.#bytes);
    const arrays = Object.fromEntries(
      this.#rowTypes().map(([role, { type, rowShape }]) => [role, { type, rowShape: Object.freeze([...rowShape]) }]),
    );
    const manifest = { rows: this.#rows, arrays, shards: this.#entries };
    this.#result = { path: names.manifestPath, manifest, byteLength: this.#bytes };
    return this.#result;
  }

  async commit(): Promise<void> {
    if (this.#result === undefined) return;
    await this.#manifest.commit(this.#result.manifest);
    await this.#init.lock.release();
  }

  async abort(): Promise<void> {
    this.#isAborted = true;
    try {
      await this.#opening?.catch(() => undefined);
      await Promise.all([this.#shard?.abort(), this.#publishing?.abort(), this.#manifest.abort()]);
      await this.#published;
    } finally {
      await this.#init.lock.release();
    }
  }

  /** Rows of one array in a chunk. */
  #part(chunk: unknown, role: string): unknown {
    if (this.#init.isSingle) return chunk;
    const roles = this.#init.names.roles;
    const isRecord = typeof chunk === "object" && chunk !== null && !Array.isArray(chunk) && !ArrayBuffer.isView(chunk);
    const odd = isRecord ? Object.keys(chunk).find((key) => !roles.includes(key)) : undefined;
    // An object that has it as its own can be read by it.
    if (isRecord && Object.hasOwn(chunk, role) && odd === undefined) return (chunk as Record<string, unknown>)[role];
    const what = odd === undefined ? `no rows of ${role}` : `${JSON.stringify(odd)}, which is none of the roles`;
    throw new NpyError("ERR_WRITE_SHAPE", `chunk ${this.#chunks}: it has ${what}; a chunk is { ${roles.join(", ")} }`);
  }

  #commonRows(arrays: readonly EncodedRows[]): number {
    const rows = arrays[0]?.rows ?? 0;
    const odd = arrays.findIndex((array) => array.rows !== rows);
    if (odd < 0) return rows;
    const { roles } = this.#init.names;
    const message = `chunk ${this.#chunks}: ${rows} rows of ${roles[0]} and ${arrays[odd]?.rows} of ${roles[odd]}`;
    throw new NpyError("ERR_WRITE_SHAPE", message);
  }

  #count(rows: number): void {
    this.#rows += rows;
    this.#chunks++;
    this.#progress.tick(this.#rows, this);
  }

  async #openNext(): Promise<OpenShard> {
    const { names, options, onFailure } = this.#init;
    const { overwrite, highWaterMark } = options;
    const types = this.#rowTypes();
    const mostRows = Math.min(...types.map(([, row]) => rowsOf(row, options)));
    const inits = types.map(([role, row]) => {
      const name = names.nameOf(role, this.#shards);
      return [role, { folder: names.folder, name, row, rows: mostRows, overwrite, highWaterMark, onFailure }] as const;
    });
    this.#opening = OpenShard.open(new Map(inits), mostRows);
    this.#shard = await this.#opening;
    this.#opening = undefined;
    this.#shards++;
    // Aborted meanwhile: abort finds the shard and removes it.
    if (this.#isAborted) throw new Error("the shards were aborted");
    return this.#shard;
  }

  /** What the rows are. @throws NpyError `ERR_WRITE_DTYPE`, `ERR_WRITE_SHAPE` where nothing has told. */
  #rowTypes(): (readonly [role: string, row: RowType])[] {
    return this.#encoders.map(([role, { rowType }]) => {
      if (rowType !== undefined) return [role, rowType];
      const { dtype } = this.#init.isSingle ? this.#init.options : (this.#init.options.roles?.[role] ?? {});
      const code = dtype === undefined ? "ERR_WRITE_DTYPE" : "ERR_WRITE_SHAPE";
      throw new NpyError(code, `no chunk came to tell dtype and row shape of ${role}, and they were not given`);
    });
  }

  /** Lets the full shard go to its names, after the one before has come there. */
  async #publish(): Promise<void> {
    const shard = this.#shard;
    if (shard === undefined) return;
    await this.#settled();
    this.#bytes += shard.byteLength;
    this.#shard = undefined;
    this.#publishing = shard;
    this.#published = this.#send(shard).catch((error: unknown) => {
      this.#failure ??= { error };
      this.#init.onFailure(error);
    });
  }

  async #send(shard: OpenShard): Promise<void> {
    // A manifest never tells of shards that are no more: old ones go before the first shard is replaced.
    if (this.#entries.length === 0 && this.#init.options.overwrite) await removeManifests(this.#init.names);
    this.#entries.push(await shard.publish());
  }

  async #settled(): Promise<void> {
    await this.#published;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#isAborted) throw new Error("the shards were aborted");
    this.#publishing = undefined;
  }
}

/** Rows of one array that fit in a shard. */
function rowsOf({ type, rowShape, rowBytes }: RowType, { maxRows, maxBytes }: ResolvedShardOptions): number {
  const most = maxRows ?? Number.MAX_SAFE_INTEGER;
  if (maxBytes === undefined || rowBytes === 0) return most;
  const { length } = formatNpyHeader({ dtype: type, shape: [0, ...rowShape] });
  return Math.min(most, Math.max(1, Math.floor((maxBytes - length) / rowBytes)));
}
