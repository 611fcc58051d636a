import { formatNpyHeader, type NpyHeader, parseNpyHeader } from "@npystream/codec";
import test from "ava";
import { MAX_VIEW_BYTES } from "../src/file-mapping.ts";
import { checkMappedLayout, checkMappedSize } from "../src/mapped-layout.ts";

function header(dtype: string, swap = false): NpyHeader {
  const bytes = formatNpyHeader({ dtype, shape: [3] });
  if (swap) bytes[bytes.indexOf("<".charCodeAt(0))] = ">".charCodeAt(0);
  return parseNpyHeader(bytes);
}

test("data is mapped where its type is aligned, and single bytes anywhere", (t) => {
  for (const [dtype, position] of [
    ["float64", 128],
    ["float64", 8],
    ["complex128", 8],
    ["int16", 2],
    ["uint8", 183],
    ["S5", 183],
    ["float128", 183],
  ] as const) {
    t.notThrows(() => checkMappedLayout(header(dtype === "float128" ? "<f16" : dtype), position, "way out"), dtype);
  }
});

test("data that is not aligned is ERR_MAP_LAYOUT with the position and a way out", (t) => {
  for (const [dtype, position] of [
    ["float64", 183],
    ["float64", 4],
    ["int16", 1],
    ["U3", 2],
  ] as const) {
    const error = t.throws(() => checkMappedLayout(header(dtype), position, "openNpy reads it"), {
      code: "ERR_MAP_LAYOUT",
      message: /no multiple of \d: openNpy reads it$/,
    });
    t.like(error, { offset: position });
  }
});

test("data in another byte order is ERR_MAP_LAYOUT", (t) => {
  t.throws(() => checkMappedLayout(header("float32", true), 128, "openNpy reads it"), {
    code: "ERR_MAP_LAYOUT",
    message: /">f4" is not in this machine's byte order.*openNpy reads it$/,
  });
});

test("a file past the largest array is ERR_MAP_TOO_LARGE", (t) => {
  t.notThrows(() => checkMappedSize(MAX_VIEW_BYTES, "way out"));
  t.throws(() => checkMappedSize(MAX_VIEW_BYTES + 1, "way out"), { code: "ERR_MAP_TOO_LARGE", message: /: way out$/ });
});
