import { decodeNpy, decodeNpz, defaultLimits, encodeNpy, encodeNpz, NdArray } from "@npystream/codec";
import test from "ava";
import { resolveLimits } from "../src/limits.ts";

const array = NdArray.zeros("int8", [2]);
const npy = encodeNpy(array);
const npz = encodeNpz({ array });

test("limits that are not asked for keep their defaults", (t) => {
  t.is(resolveLimits(undefined), defaultLimits);
  t.is(resolveLimits({}), defaultLimits);
  t.deepEqual(resolveLimits({ limits: { rank: 3 } }), { ...defaultLimits, rank: 3 });
});

const holds = test.macro({
  title: (_, code: string) => `a smaller limit is ${code}`,
  exec(t, code: string, decode: () => unknown) {
    t.throws(decode, { code });
  },
});
test(holds, "ERR_LIMIT_HEADER", () => decodeNpy(npy, { limits: { headerBytes: 100 } }));
test(holds, "ERR_LIMIT_DEPTH", () => decodeNpy(npy, { limits: { depth: 1 } }));
test(holds, "ERR_LIMIT_RANK", () => decodeNpy(npy, { limits: { rank: 0 } }));
test(holds, "ERR_LIMIT_MEMBERS", () => decodeNpz(npz, { limits: { members: 0 } }));

const refuses = test.macro({
  title: (_, what: string) => `${what} is refused`,
  exec(t, _what: string, call: () => unknown, expectation: { instanceOf: ErrorConstructor; message: RegExp }) {
    t.throws(call, expectation);
  },
});
const range = { instanceOf: RangeError };
const type = { instanceOf: TypeError };
test(refuses, "a limit that there is not", () => decodeNpy(npy, { limits: { header: 1 } as never }), {
  ...type,
  message: /limits has no option header; it has headerBytes/,
});
test(refuses, "a limit below 0", () => decodeNpy(npy, { limits: { rank: -1 } }), {
  ...range,
  message: /limit rank .* -1/,
});
test(refuses, "a limit that is no number", () => decodeNpz(npz, { limits: { members: "9" as never } }), {
  ...range,
  message: /limit members .* 9/,
});

test("a limit may be lifted", (t) => {
  t.is(decodeNpy(npy, { limits: { headerBytes: Number.POSITIVE_INFINITY } }).size, 2);
});
