import { NdArray, viewData } from "@npystream/codec";
import type { Batch, BatchMeta, BatchRandom } from "./batch.ts";
import type { BatchBytes } from "./batch-buffers.ts";
import type { BatchesOptions } from "./batch-options.ts";
import type { PlannedBatch } from "./batch-schedule.ts";
import { CounterRandom } from "./counter-random.ts";
import type { DatasetDTypes } from "./dataset-types.ts";
import type { RowFields } from "./row-fields.ts";
import { untilAborted } from "./until-aborted.ts";
import { kindOf } from "./value-kind.ts";

/** Tells the random numbers of transforms from those that orders are made of. */
const TRANSFORM_KEY = 5;

/** Makes what a batch says of itself; `hasValid` for one that may be padded. */
export function metaOf(planned: PlannedBatch, hasValid: boolean): BatchMeta {
  const { order, index, position, taken, rows } = planned;
  let ids: Float64Array | undefined;
  const meta = {
    ...{ epoch: order.epoch, index, rows, position },
    get rowIds() {
      ids ??= rowIdsOf(planned);
      return ids;
    },
  };
  return hasValid ? Object.assign(meta, { valid: new Uint8Array(rows).fill(1, 0, taken) }) : meta;
}

/** Shows the bytes of a batch as arrays. */
export function batchOf<T extends DatasetDTypes>(
  fields: RowFields,
  rows: number,
  bytes: BatchBytes,
  meta: BatchMeta,
): Batch<T> {
  const arrays: Record<string, NdArray> = {};
  for (const [name, data] of bytes) {
    const type = fields.type(name);
    arrays[name] = new NdArray({ dtype: type, shape: [rows, ...fields.rowShape(name)], data: viewData(type, data) });
  }
  // Names and dtypes are those of the fields.
  return { ...arrays, meta } as unknown as Batch<T>;
}

/**
 * Lets a transform change a batch; it is not waited for once `signal` is aborted.
 *
 * @throws TypeError where it gives other names than the batch has; what it throws.
 */
export async function transformed<T extends DatasetDTypes>(
  batch: Batch<T>,
  transform: NonNullable<BatchesOptions<T>["transform"]>,
  seed: number,
  signal: AbortSignal,
): Promise<Batch<T>> {
  const { meta } = batch;
  const random: BatchRandom = (index) => {
    const row = meta.rowIds[index];
    if (row === undefined) throw new RangeError(`${index} is not one of the batch's ${meta.rows} rows`);
    return new CounterRandom(seed, meta.epoch, TRANSFORM_KEY, row);
  };
  const changed = await untilAborted(Promise.resolve(transform(batch, random, signal)), signal);
  if (changed === undefined) return batch;
  checkNames(batch, changed);
  // The names are those of the fields; that dtypes are others now is the caller's to know.
  return { meta, ...changed } as Batch<T>;
}

function checkNames(batch: object, changed: unknown): void {
  if (typeof changed !== "object" || changed === null || Array.isArray(changed)) {
    throw new TypeError(`transform gives a batch or undefined, not ${kindOf(changed)}`);
  }
  const missing = Object.keys(batch).find((name) => name !== "meta" && !(name in changed));
  if (missing !== undefined) throw new TypeError(`transform gives a batch without the field ${missing}`);
  const odd = Object.keys(changed).find((name) => !(name in batch));
  if (odd !== undefined) throw new TypeError(`transform gives a batch with ${odd}, which is no field of the dataset`);
}

function rowIdsOf({ order, position, taken, rows, wraps }: PlannedBatch): Float64Array {
  const ids = new Float64Array(rows).fill(-1);
  ids.set(order.rows(position, taken));
  if (wraps) for (let i = taken; i < rows; i++) ids[i] = order.rows((i - taken) % order.length, 1)[0] as number;
  return ids;
}
