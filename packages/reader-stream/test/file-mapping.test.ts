import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { FileMapping, MAX_VIEW_BYTES } from "../src/file-mapping.ts";
import { openDescriptors, testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("file-mapping");
const path = join(folder, "x.bin");
const content = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
writeFileSync(path, content);

function map(): FileMapping {
  const fd = openSync(path, "r");
  try {
    return FileMapping.map({ fd, path, byteLength: content.length, mode: "c" });
  } finally {
    closeSync(fd);
  }
}

test("buffers over a mapping are of the same pages, and none holds a descriptor", (t) => {
  const mapping = map();
  const [whole, part] = [new Uint8Array(mapping.view(0, 100_000)), new Uint8Array(mapping.view(70_000, 10))];
  t.deepEqual(whole, content);
  t.deepEqual(part, content.subarray(70_000, 70_010));
  whole[70_001] = 255;
  t.is(part[1], 255);
  t.is(mapping.view(100_000, 0).byteLength, 0);
  t.is(openDescriptors(folder), 0);
});

test("a view outside the mapping is refused before koffi would end the process", (t) => {
  const mapping = map();
  for (const [position, length] of [
    [0, 100_001],
    [100_000, 1],
    [-1, 10],
    [10, -1],
    [0, MAX_VIEW_BYTES + 1],
  ] as const) {
    t.throws(() => mapping.view(position, length), { instanceOf: RangeError });
  }
});

test("a buffer outlives the mapping's close, after which there are no others", (t) => {
  const mapping = map();
  const bytes = new Uint8Array(mapping.view(0, 100_000));
  mapping.close();
  mapping.close();
  t.deepEqual(bytes, content);
  for (const act of [() => mapping.view(0, 1), () => mapping.flush(), () => mapping.advise(0, 1, "random")]) {
    t.throws(act, { instanceOf: TypeError, message: /closed/ });
  }
});

test("a mapping that was closed without views is gone at once", (t) => {
  const mapping = map();
  t.notThrows(() => mapping.close());
});

test("the bytes of a buffer are not moved out of it", (t) => {
  const buffer = map().view(0, 1000) as ArrayBuffer & Record<"transfer" | "transferToFixedLength", () => void>;
  t.throws(() => buffer.transfer(), { instanceOf: TypeError, message: /copy them/ });
  t.throws(() => buffer.transferToFixedLength(), { instanceOf: TypeError });
  // Node 20 makes a copy here, later ones refuse.
  try {
    structuredClone(buffer, { transfer: [buffer] });
  } catch (error) {
    t.is((error as Error).name, "DataCloneError");
  }
  t.is(buffer.byteLength, 1000);
});

test("a file that the system does not map is ERR_MAP_UNAVAILABLE with its error as cause", (t) => {
  const request = { fd: 999_999, path, byteLength: 10, mode: "c" } as const;
  const error = t.throws(() => FileMapping.map(request), { code: "ERR_MAP_UNAVAILABLE", message: /openNpy/ });
  t.like(error, { path });
  t.like(error?.cause, { code: "EBADF" });
});
