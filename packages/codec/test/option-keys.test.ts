import {
  checkOptionKeys,
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  encodeZip,
  formatNpyHeader,
  NdArray,
  NpyParser,
  npyDataOffset,
  parseNpyHeader,
  parsePythonLiteral,
  readZipDirectory,
} from "@npystream/codec";
import test from "ava";

test("an option that there is not is named with those there are, the nearest first", (t) => {
  const known = ["level", "align", "compress"];
  t.throws(() => checkOptionKeys("encodeNpz", { comprss: true, level: 1 }, known), {
    instanceOf: TypeError,
    message: "encodeNpz has no option comprss; it has compress, level, align",
  });
  t.throws(() => checkOptionKeys("encodeNpz", { Lvl: 1 }, known), { message: /it has level, / });
  t.throws(() => checkOptionKeys("encodeNpz", { ["x".repeat(1 << 20)]: 1 }, known), { instanceOf: TypeError });
  t.notThrows(() => checkOptionKeys("encodeNpz", { align: undefined }, known));
});

test("options that are no object are refused", (t) => {
  for (const options of [null, 7, "strict"]) {
    t.throws(() => checkOptionKeys("decodeNpy", options as never, ["strict"]), {
      instanceOf: TypeError,
      message: /the options of decodeNpy are an object, not/,
    });
  }
});

const array = NdArray.zeros("int8", [2]);
const npy = encodeNpy(array);
const npz = encodeNpz({ array });
const calls: Readonly<Record<string, (options: never) => unknown>> = {
  decodeNpy: (options) => decodeNpy(npy, options),
  decodeNpz: (options) => decodeNpz(npz, options),
  encodeNpz: (options) => encodeNpz({ array }, options),
  encodeZip: (options) => encodeZip([], options),
  parseNpyHeader: (options) => parseNpyHeader(npy, options),
  npyDataOffset: (options) => npyDataOffset(npy, options),
  readZipDirectory: (options) => readZipDirectory(npz.length, options).next(),
  NpyParser: (options) => new NpyParser(options),
  formatNpyHeader: (options) => formatNpyHeader(options),
  parsePythonLiteral: (options) => parsePythonLiteral("1", options),
  "a slice": (options) => array.slice(options),
};

const checks = test.macro({
  title: (_, name: string) => `${name} refuses an option that it does not have`,
  exec(t, name: string) {
    t.throws(() => calls[name]?.({ limit: 1 } as never), {
      instanceOf: TypeError,
      message: new RegExp(`^${name} has no option limit; it has `),
    });
  },
});
for (const name of Object.keys(calls)) test(checks, name);

const refuses = test.macro({
  title: (_, what: string) => `${what} is refused`,
  exec(t, _what: string, call: () => unknown, expectation: { instanceOf: ErrorConstructor; message: RegExp }) {
    t.throws(call, expectation);
  },
});
const range = { instanceOf: RangeError };
const type = { instanceOf: TypeError };
test(refuses, "level 10", () => encodeNpz({}, { level: 10 }), { ...range, message: /level is 0 to 9, not 10/ });
test(refuses, "compress: 'yes'", () => encodeNpz({}, { compress: "yes" as never }), {
  ...type,
  message: /true or false/,
});
test(refuses, "align: 7", () => encodeNpz({}, { align: 7 as never }), { ...range, message: /align is 64 or "page"/ });
test(refuses, "chunkBytes: 0", () => new NpyParser({ chunkBytes: 0 }), { ...range, message: /chunkBytes/ });
test(refuses, "order: 'A'", () => formatNpyHeader({ dtype: "int8", shape: [], order: "A" as never }), {
  ...type,
  message: /order is "C" or "F", not A/,
});
