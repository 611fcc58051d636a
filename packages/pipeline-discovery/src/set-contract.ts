import {
  checkOptionKeys,
  type DType,
  type DTypeLike,
  type ElementType,
  elementType,
  isNpyError,
  NpyError,
} from "@npystream/codec";
import type { ArrayFacts } from "./completeness.ts";

/** What the array of one role must be. */
export interface RoleContract {
  /** @defaultValue any dtype */
  readonly dtype?: DTypeLike;
  /**
   * Extent of each axis: a number; a name such as `'N'`, whose extent must be the same wherever the name stands in the
   * set; or `null` for any extent.
   *
   * @defaultValue any shape
   */
  readonly shape?: readonly (number | string | null)[];
}

/** Which arrays make up a set, and what they must be. */
export interface SetContract {
  /** The arrays by their role, which is what `{role}` stands for in the template, or the member's name in a `.npz`. */
  readonly roles: Readonly<Record<string, RoleContract>>;
}

/** The dtype that a role's contract fixes, or any. */
export type RoleDType<R> = R extends Readonly<Record<"dtype", infer D extends DType>> ? D : DType;

interface CompiledRole {
  readonly role: string;
  readonly type: ElementType | undefined;
  readonly shape: readonly (number | string | null)[] | undefined;
}

/** A contract that was found to be one, ready to check sets against. */
export class CompiledContract {
  /** The roles in the order of the contract. */
  readonly roles: readonly string[];
  readonly #roles: readonly CompiledRole[];

  /**
   * @throws TypeError where `contract` has no roles or is no contract.
   * @throws NpyError `ERR_NPY_DTYPE`, `ERR_NPY_OBJECT` for a dtype that there is not.
   */
  constructor(contract: SetContract) {
    checkOptionKeys("sets", contract, ["roles"]);
    this.#roles = Object.entries(contract.roles).map(([role, expected]) => compileRole(role, expected));
    this.roles = this.#roles.map(({ role }) => role);
    if (this.roles.length === 0) {
      throw new TypeError("sets.roles names no role");
    }
  }

  /** Finds how arrays break the contract: an error `ERR_SET_CONTRACT` that names both sides, or nothing. */
  check(arrays: ReadonlyMap<string, ArrayFacts>): NpyError | null {
    const missing = this.roles.find((role) => !arrays.has(role));
    return missing === undefined ? this.checkThose(arrays) : broken(`it has no ${missing}`);
  }

  /** Finds the same for some of the arrays, whatever the others are. */
  checkThose(arrays: ReadonlyMap<string, ArrayFacts>): NpyError | null {
    const extents = new Map<string, { readonly extent: number; readonly side: () => string }>();
    for (const { role, type, shape } of this.#roles) {
      const facts = arrays.get(role);
      if (facts === undefined) {
        continue;
      }
      if (type !== undefined && descrText(type) !== descrText(facts.type)) {
        const isOther = type.dtype !== facts.type.dtype;
        const [found, expected] = [facts.type, type].map((one) => (isOther ? one.dtype : descrText(one)));
        return broken(`${role} is ${found}, the contract asks for ${expected}`);
      }
      const side = (): string => `${role} of shape ${formatShape(facts.shape)}`;
      if (shape !== undefined && !fits(shape, facts.shape)) {
        return broken(`${side()} does not fit the contract's ${formatShape(shape)}`);
      }
      for (const [axis, name] of (shape ?? []).entries()) {
        const extent = facts.shape[axis] ?? 0;
        const other = typeof name === "string" ? extents.get(name) : undefined;
        if (other !== undefined && other.extent !== extent) {
          return broken(`${other.side()} has ${name} = ${other.extent} and ${side()} has ${name} = ${extent}`);
        }
        if (typeof name === "string" && other === undefined) {
          extents.set(name, { extent, side });
        }
      }
    }
    return null;
  }
}

function compileRole(role: string, expected: RoleContract): CompiledRole {
  checkOptionKeys(`sets.roles.${role}`, expected, ["dtype", "shape"]);
  const { dtype, shape } = expected;
  for (const extent of shape ?? []) {
    const isExtent = typeof extent === "number" ? Number.isSafeInteger(extent) && extent >= 0 : extent !== "";
    if (!isExtent) {
      throw new TypeError(`sets.roles.${role}.shape holds ${JSON.stringify(extent)}, which is no extent`);
    }
  }
  return { role, type: dtype === undefined ? undefined : typeOf(role, dtype), shape };
}

function typeOf(role: string, dtype: DTypeLike): ElementType {
  try {
    return elementType(dtype);
  } catch (cause) {
    if (!isNpyError(cause)) {
      throw cause;
    }
    throw new NpyError(cause.code, `sets.roles.${role}.dtype: ${cause.message}`, { cause });
  }
}

function fits(expected: readonly (number | string | null)[], shape: readonly number[]): boolean {
  return (
    expected.length === shape.length &&
    expected.every((extent, axis) => typeof extent !== "number" || extent === shape[axis])
  );
}

/** Tells one element type from another, whatever the byte order of the file. */
function descrText({ descr }: ElementType): string {
  return typeof descr === "string" ? descr : JSON.stringify(descr);
}

function formatShape(shape: readonly (number | string | null)[]): string {
  return `[${shape.map((extent) => extent ?? "any").join(", ")}]`;
}

function broken(message: string): NpyError {
  return new NpyError("ERR_SET_CONTRACT", message);
}
