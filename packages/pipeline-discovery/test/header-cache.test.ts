import { formatNpyHeader, isNpyError } from "@npystream/codec";
import test from "ava";
import { HeaderCache } from "../src/header-cache.ts";

test("files with the same header share what it says, whatever follows it", (t) => {
  const cache = new HeaderCache();
  const bytes = formatNpyHeader({ dtype: "float32", shape: [3, 4] });
  const first = cache.parse(bytes);
  const second = cache.parse(new Uint8Array([...bytes, 1, 2, 3]));
  t.is(first, second);
  t.like(first, { fileBytes: bytes.length + 48, dataBytes: 48 });
  t.not(cache.parse(formatNpyHeader({ dtype: "float32", shape: [4, 3] })), first);
});

test("a header that is cut off says how long it is", (t) => {
  const bytes = formatNpyHeader({ dtype: "float32", shape: [3, 4] });
  t.is(new HeaderCache().parse(bytes.subarray(0, 50)), bytes.length);
});

test("no more than some headers are kept", (t) => {
  const cache = new HeaderCache();
  const first = formatNpyHeader({ dtype: "bool", shape: [0] });
  const before = cache.parse(first);
  for (let rows = 1; rows <= 512; rows++) {
    cache.parse(formatNpyHeader({ dtype: "bool", shape: [rows] }));
  }
  t.not(cache.parse(first), before);
  t.deepEqual(cache.parse(first), before);
});

test("headers of unusual length are read and not kept", (t) => {
  const cache = new HeaderCache();
  const fields = Array.from({ length: 500 }, (_, at) => [`field-${at}`, "<f4"] as const);
  const long = formatNpyHeader({ dtype: fields, shape: [3] });
  t.true(long.length > 4096);
  t.not(cache.parse(long), cache.parse(long));
});

test("what is no header is refused with the codec's code each time", (t) => {
  const cache = new HeaderCache();
  for (let i = 0; i < 2; i++) {
    const error = t.throws(() => cache.parse(new Uint8Array(100).fill(1)));
    t.true(isNpyError(error) && error.code === "ERR_NPY_MAGIC");
  }
});
