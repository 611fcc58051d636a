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

/** The bounds where no others are asked for. */
export const defaultLimits: Limits = { headerBytes: 1 << 20, depth: 32, rank: 64, members: 65_536 };

/** Joins asked-for bounds with the defaults. */
export function resolveLimits(options: LimitOptions | undefined): Limits {
  return options?.limits === undefined ? defaultLimits : { ...defaultLimits, ...options.limits };
}
