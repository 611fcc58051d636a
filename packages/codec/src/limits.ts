import { checkOptionKeys } from "./option-keys.ts";

/** Bounds on what a file may claim, checked before anything of that size is allocated. */
export interface Limits {
  /** Longest `.npy` header in bytes. @defaultValue 1 MiB (1,048,576) */
  readonly headerBytes: number;
  /** Deepest nesting of brackets in a header. @defaultValue 32 */
  readonly depth: number;
  /** Most axes of an array. @defaultValue 64, as NumPy 2 allows */
  readonly rank: number;
  /** Most members of an archive. @defaultValue 65,536 */
  readonly members: number;
}

/** Options of everything that reads what a file claims. */
export interface LimitOptions {
  /** Bounds to change; the others keep their defaults. */
  readonly limits?: Partial<Limits>;
}

/** Largest element, and largest record, that NumPy makes: its size is a C int. */
export const MAX_ITEM_BYTES = 2_147_483_647;

/** The bounds where no others are asked for. */
export const defaultLimits: Limits = { headerBytes: 1 << 20, depth: 32, rank: 64, members: 65_536 };

const LIMIT_NAMES = Object.keys(defaultLimits);

/**
 * Joins asked-for bounds with the defaults.
 *
 * @throws TypeError for a limit there is not, RangeError for one that is no whole number from 0.
 */
export function resolveLimits(options: LimitOptions | undefined): Limits {
  const limits = options?.limits;
  if (limits === undefined) return defaultLimits;
  checkOptionKeys("limits", limits, LIMIT_NAMES);
  for (const [name, value] of Object.entries(limits)) {
    // Infinity lifts a limit.
    if (value !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(value) && value >= 0)) {
      throw new RangeError(`the limit ${name} is a whole number from 0, not ${String(value)}`);
    }
  }
  return { ...defaultLimits, ...limits };
}

/** Takes the bounds alone out of options that have others. */
export function limitsIn({ limits }: LimitOptions): LimitOptions {
  return limits === undefined ? {} : { limits };
}

/**
 * Joins asked-for bounds with the defaults for a function that has no other options.
 *
 * @throws TypeError for an option there is not, and those of {@link resolveLimits}.
 */
export function limitsOf(what: string, options: LimitOptions | undefined): Limits {
  // A source of bytes hands on the options of its own caller, of which the signal is one.
  if (options !== undefined) checkOptionKeys(what, options, ["limits", "signal"]);
  return resolveLimits(options);
}
