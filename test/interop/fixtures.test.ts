import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeNpy, decodeNpz, encodeNpy, type NdArray, parseNpyHeader } from "@npystream/codec";
import test from "ava";
import { root } from "../package/workspace.ts";
import { jsonValues } from "./json-values.ts";

interface ArrayFixture {
  readonly descr: unknown;
  readonly shape: readonly number[];
  readonly order: "C" | "F";
  readonly values: unknown;
}
interface NpyFixture extends ArrayFixture {
  readonly file: string;
  readonly version: string;
  /** Whether encoding what was decoded gives the same bytes. */
  readonly identical: boolean;
}
interface NpzFixture {
  readonly file: string;
  readonly members: Readonly<Record<string, ArrayFixture>>;
}

const folder = mkdtempSync(join(tmpdir(), "npystream-fixtures-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));
execFileSync("python3", [join(root, "test/fixtures/generate.py"), folder]);
const fixtures = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as (NpyFixture | NpzFixture)[];
const npys = fixtures.filter((fixture): fixture is NpyFixture => "descr" in fixture);
const npzs = fixtures.filter((fixture): fixture is NpzFixture => "members" in fixture);

function read(file: string): Buffer {
  return readFileSync(join(folder, "valid", file));
}

test("every .npy that NumPy writes decodes to the values NumPy has for it", (t) => {
  t.true(npys.length > 900, `${npys.length} files`);
  for (const { file, descr, shape, order, values, version } of npys) {
    const bytes = read(file);
    const header = parseNpyHeader(bytes);
    const array = decodeNpy(bytes, { strict: true });
    t.deepEqual({ descr: header.descr, version: header.version } as unknown, { descr, version }, file);
    t.deepEqual(array.shape, shape, file);
    if (array.size > 1) t.is(array.order, order, file);
    t.deepEqual(jsonValues(array), values, file);
  }
});

test("what is decoded and encoded again is byte for byte what np.save wrote", (t) => {
  const identical = npys.filter((fixture) => fixture.identical);
  t.true(identical.length > 500, `${identical.length} files`);
  for (const { file } of identical) {
    const bytes = read(file);
    t.true(bytes.equals(encodeNpy(decodeNpy(bytes))), file);
  }
});

test("a file of another byte order or form is encoded as NumPy encodes the same array in the machine's order", (t) => {
  for (const { file } of npys.filter((fixture) => !fixture.identical)) {
    const array = decodeNpy(read(file));
    const again = decodeNpy(encodeNpy(array), { strict: true });
    t.deepEqual(jsonValues(again), jsonValues(array), file);
    t.deepEqual(again.type.descr, array.type.descr, file);
  }
});

test("every .npz that NumPy or zipfile writes decodes to the values NumPy has for it", (t) => {
  t.true(npzs.length >= 9);
  for (const { file, members } of npzs) {
    const arrays: Readonly<Record<string, NdArray>> = decodeNpz(read(file));
    t.deepEqual(Object.keys(arrays).sort(), Object.keys(members).sort(), file);
    for (const [name, array] of Object.entries(arrays)) {
      t.deepEqual(jsonValues(array), members[name]?.values, `${file} ${name}`);
      t.deepEqual(array.shape, members[name]?.shape, `${file} ${name}`);
    }
  }
});
