import { rmSync, writeFileSync } from "node:fs";
import { decodeNpy, decodeNpz, encodeNpy, encodeNpz, formatNpyHeader, parseNpyHeader } from "@npystream/codec";
import { createMappedNpy, mapNpy, openNpz } from "@npystream/reader-stream";
import test from "ava";
import { jsonValues } from "./json-values.ts";
import { codeOf, faultOf, makeNumpyCases, parsedCode } from "./numpy-cases.ts";

const { cases, folder, at, read } = makeNumpyCases();
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

test("a header that needs version 2.0 is written as one, aligned, and mapped", (t) => {
  const { "version-2": expected } = cases.headers;
  const bytes = read("version-2.npy");
  const { version, dataOffset } = parseNpyHeader(bytes);
  t.deepEqual([version, dataOffset % 64], ["2.0", 0]);
  const array = decodeNpy(bytes, { strict: true });
  t.is(expected === undefined ? "none" : faultOf(array, expected), "");
  t.true(bytes.equals(encodeNpy(array)));
  using mapped = mapNpy(at("mapped-version-2.npy"));
  t.deepEqual(jsonValues(mapped), expected?.values);
  using made = createMappedNpy(at("made-version-2.npy"), { dtype: array.type, shape: array.shape });
  (made.data as Uint8Array).set(array.data as Uint8Array);
  made.flush();
  t.true(read("made-version-2.npy").equals(read("mapped-version-2.npy")));
});

test("a header of 10,001 fields is read, or ERR_LIMIT_HEADER where it passes the limit, in .npy, mapped and in .npz", async (t) => {
  const bytes = read("huge-header.npy");
  const low = { limits: { headerBytes: 20_000 } };
  const high = { limits: { headerBytes: 180_000 } };
  const record = decodeNpy(bytes, high).toNested() as Readonly<Record<string, number>>;
  t.deepEqual([Object.keys(record).length, record["f0"], record["f10000"]], [10_001, 1, 1]);
  t.true(bytes.equals(encodeNpy(decodeNpy(bytes))));
  t.is(
    codeOf(() => decodeNpy(bytes, low)),
    "ERR_LIMIT_HEADER",
  );
  t.is(
    codeOf(() => mapNpy(at("huge-header.npy"), low)),
    "ERR_LIMIT_HEADER",
  );
  using mapped = mapNpy(at("huge-header.npy"), high);
  t.is(mapped.type.fields?.length, 10_001);
  const archive = encodeNpz({ arr: decodeNpy(bytes) });
  writeFileSync(at("huge-header.npz"), archive);
  t.is(
    codeOf(() => decodeNpz(archive, low)),
    "ERR_LIMIT_HEADER",
  );
  t.is(decodeNpz(archive, high)["arr"]?.type.fields?.length, 10_001);
  await using opened = await openNpz(at("huge-header.npz"), low);
  await t.throwsAsync(opened.open("arr"), { code: "ERR_LIMIT_HEADER" });
});

test("headers of version 1.0 and 2.0 say the same, and data begins at a multiple of 64 behind both", (t) => {
  for (const version of ["1.0", "2.0"] as const) {
    const header = parseNpyHeader(read(`asked-version-${version[0]}.npy`));
    t.deepEqual([header.version, header.shape, header.order, header.dtype], [version, [3, 6], "C", "float64"]);
    t.is(header.dataOffset % 64, 0);
  }
});

test("the lowest version that holds a header is chosen where NumPy chooses it", (t) => {
  for (const [length, version] of Object.entries({ 65439: "1.0", 65440: "2.0", 65441: "2.0", 65536: "2.0" })) {
    const bytes = read(`name-of-${length}.npy`);
    t.is(parseNpyHeader(bytes).version, version as "1.0" | "2.0", length);
    t.true(bytes.equals(encodeNpy(decodeNpy(bytes))), length);
  }
});

const badPrefix = test.macro({
  title: (_, text: string) => `a file of ${JSON.stringify(text)} alone is refused`,
  exec(t, text: string, code: string) {
    const bytes = Buffer.from(text, "latin1");
    t.is(
      codeOf(() => decodeNpy(bytes)),
      code,
    );
    t.is(parsedCode(bytes), code);
  },
});

for (const version of ["\x01\x01", "\0\0", "\0\x01", "\x02\x02", "\xff\xff"]) {
  test(badPrefix, `\x93NUMPY${version}`, "ERR_NPY_VERSION");
}
for (const magic of ["\x92NUMPY\x01\0", "\0NUMPY\x01\0", "\x93numpy\x01\0", "\x93MATLB\x01\0"]) {
  test(badPrefix, magic, "ERR_NPY_MAGIC");
}
for (const cut of ["\x93NUMPY\x02\0", "\x93NUMPY\x01", "\x93NUMPY", ""]) test(badPrefix, cut, "ERR_NPY_TRUNCATED");

test("a header that is short, lacks a key or has one more is refused", (t) => {
  const refused = {
    "": "ERR_NPY_TRUNCATED",
    "1": "ERR_NPY_TRUNCATED",
    "\x01\0": "ERR_NPY_TRUNCATED",
    "6\0{'descr': 'x', 'shape': (1, 2), }                    \n": "ERR_NPY_HEADER",
    "\x46\0{'descr': 'x', 'extrakey': -1, 'fortran_order': False, 'shape': (1, 2)}\n": "ERR_NPY_HEADER",
  };
  for (const [text, code] of Object.entries(refused)) {
    const bytes = Buffer.from(`\x93NUMPY\x01\0${text}`, "latin1");
    t.is(
      codeOf(() => decodeNpy(bytes)),
      code,
      text,
    );
  }
});

test("field names beyond latin-1 make version 3.0, byte for byte NumPy's", (t) => {
  const { "unicode-names": expected } = cases.headers;
  const bytes = read("unicode-names.npy");
  const array = decodeNpy(bytes, { strict: true });
  t.is(parseNpyHeader(bytes).version, "3.0");
  t.deepEqual(jsonValues(array), expected?.values);
  t.true(bytes.equals(encodeNpy(array)));
});

test("a header is as long for any extent of the axis that grows as it is for NumPy", (t) => {
  for (const { spaces, fortran, digits, header } of cases.growth) {
    const extent = 10 ** digits;
    const spec = {
      dtype: [[" ".repeat(spaces), "<i8"]],
      shape: fortran ? [2, extent] : [extent, 2],
      order: fortran ? "F" : "C",
    } as const;
    const bytes = Buffer.from(header, "latin1");
    t.is(bytes.length, spaces === (fortran ? 30 : 29) ? 128 : 192);
    if (16 * extent <= Number.MAX_SAFE_INTEGER) t.true(bytes.equals(formatNpyHeader(spec)), `${spaces} ${extent}`);
    else
      t.is(
        codeOf(() => parseNpyHeader(bytes)),
        "ERR_NPY_SHAPE",
      );
  }
});
