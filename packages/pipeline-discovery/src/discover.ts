import type { NameFields } from "@npystream/codec";
import { type DiscoverOptions, resolveOptions } from "./discover-options.ts";
import { Discovery } from "./discovery.ts";
import type { SetContract } from "./set-contract.ts";

/**
 * Finds sets of `.npy` files, or `.npz` files, in folders that other programs drop them into, and delivers each once it is
 * complete and fits its contract.
 *
 * What has been delivered is remembered in the `ledger`, and without one as long as the process runs. Files whose names begin with a dot or an underscore
 * or end in `.tmp`, `.part` or `.partial` are never seen, and links are not followed.
 *
 * @example
 * const names = nameTemplate('{split}/{key}.{role}.npy');
 * const sets = { roles: { features: { dtype: 'float32', shape: ['N', 64] }, labels: { dtype: 'int64', shape: ['N'] } } } as const;
 * await using found = discover({ roots: 'incoming', names, sets });
 * for await (const set of found) {
 *   const features = await set.arrays.features.open();
 *   await set.ack();
 * }
 *
 * @throws TypeError, RangeError for options that cannot be, or a template that cannot name the sets.
 */
export function discover<F extends object = NameFields, const S extends SetContract = SetContract>(
  options: DiscoverOptions<F, S>,
): Discovery<F, S> {
  return new Discovery<F, S>(resolveOptions(options));
}
