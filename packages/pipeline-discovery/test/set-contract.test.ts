import { type DTypeLike, elementType, isNpyError } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import type { ArrayFacts } from "../src/completeness.ts";
import { CompiledContract, type SetContract } from "../src/set-contract.ts";

type Arrays = Readonly<Record<string, readonly [dtype: DTypeLike, shape: readonly number[]]>>;

function factsOf(arrays: Arrays): Map<string, ArrayFacts> {
  return new Map(
    Object.entries(arrays).map(([role, [dtype, shape]]) => [role, { type: elementType(dtype), order: "C", shape }]),
  );
}

const record = [
  ["a", "<f4"],
  ["b", "<i8", [2]],
] as const;

const pair = {
  roles: { features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64", shape: ["N"] } },
} as const;

const fits = test.macro({
  title: (_, what: string) => `a set fits with ${what}`,
  exec(t: ExecutionContext, _what: string, contract: SetContract, arrays: Arrays) {
    t.is(new CompiledContract(contract).check(factsOf(arrays)), null);
  },
});

test(fits, "the same extent on both sides", pair, { features: ["<f4", [3, 4]], labels: ["int64", [3]] });
test(fits, "no rows on both sides", pair, { features: ["float32", [0, 4]], labels: ["int64", [0]] });
test(fits, "the other byte order", pair, { features: [">f4", [3, 4]], labels: [">i8", [3]] });
test(fits, "anything where nothing is asked", { roles: { x: {} } }, { x: ["complex64", [1, 2, 3]] });
test(fits, "any extent for null", { roles: { x: { shape: [null, 2] } } }, { x: ["bool", [9, 2]] });
test(fits, "a square for one name", { roles: { x: { shape: ["N", "N"] } } }, { x: ["bool", [3, 3]] });
test(fits, "the same length of text", { roles: { x: { dtype: "S5" } } }, { x: ["S5", [3]] });
test(fits, "the same fields", { roles: { x: { dtype: record } } }, { x: [[...record], [3]] });
test(fits, "a scalar", { roles: { x: { shape: [] } } }, { x: ["bool", []] });

const breaks = test.macro({
  title: (_, reason: string) => `a set breaks its contract: ${reason}`,
  exec(t: ExecutionContext, reason: string, contract: SetContract, arrays: Arrays) {
    const error = new CompiledContract(contract).check(factsOf(arrays));
    t.true(isNpyError(error) && error.code === "ERR_SET_CONTRACT");
    t.is(error?.message, reason);
  },
});

test(breaks, "features of shape [3, 4] has N = 3 and labels of shape [4] has N = 4", pair, {
  features: ["float32", [3, 4]],
  labels: ["int64", [4]],
});
test(breaks, "features is float64, the contract asks for float32", pair, {
  features: ["float64", [3, 4]],
  labels: ["int64", [3]],
});
test(breaks, "labels of shape [3, 1] does not fit the contract's [N]", pair, {
  features: ["float32", [3, 4]],
  labels: ["int64", [3, 1]],
});
test(breaks, "features of shape [3, 5] does not fit the contract's [N, 4]", pair, {
  features: ["float32", [3, 5]],
  labels: ["int64", [3]],
});
test(breaks, "it has no labels", pair, { features: ["float32", [3, 4]] });
test(
  breaks,
  "x of shape [2, 3] has N = 2 and x of shape [2, 3] has N = 3",
  { roles: { x: { shape: ["N", "N"] } } },
  { x: ["bool", [2, 3]] },
);

test(breaks, "x is |S6, the contract asks for |S5", { roles: { x: { dtype: "S5" } } }, { x: ["S6", [3]] });
test(
  breaks,
  'x is [["a","<f4"]], the contract asks for [["a","<f4"],["b","<i8",[2]]]',
  { roles: { x: { dtype: record } } },
  { x: [[["a", "<f4"]], [3]] },
);

test("what is no contract is refused", (t) => {
  const compile = (contract: unknown) => () => new CompiledContract(contract as SetContract);
  t.throws(compile({ roles: {} }), { instanceOf: TypeError });
  t.throws(compile({ roles: { x: { dtypes: "float32" } } }), { instanceOf: TypeError, message: /dtypes/ });
  t.throws(compile({ roles: { x: { shape: [1.5] } } }), { instanceOf: TypeError });
  t.throws(compile({ roles: { x: { shape: [""] } } }), { instanceOf: TypeError });
  t.throws(compile({ role: {} }), { instanceOf: TypeError });
  const error = t.throws(compile({ roles: { x: { dtype: "float33" } } }));
  t.true(isNpyError(error) && error.code === "ERR_NPY_DTYPE");
  t.regex(error?.message ?? "", /^sets\.roles\.x\.dtype: .*float33/);
});
