import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ByteSource } from "@npystream/codec";
import test from "ava";
import { bytesSource, fileSource, regionSource } from "../src/index.ts";
import { openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("region");

function surrounded(content: Uint8Array): Uint8Array {
  const around = new Uint8Array(content.length + 100).fill(0x55);
  around.set(content, 41);
  return around;
}

sourceSuite(test, "a region of bytes", async (_, __, content) => {
  return { source: regionSource(bytesSource(surrounded(content)), 41, content.length) };
});

sourceSuite(test, "a region of a file", async (t, name, content) => {
  const path = join(folder, name);
  // A file that is written anew is another one.
  if (name !== "version" || openDescriptors(path) === 0) writeFileSync(path, surrounded(content));
  const file = await fileSource(path);
  t.teardown(() => file.close());
  return { source: regionSource(file, 41, content.length) };
});

test("a region can do what the source below can, and closing it leaves that open", async (t) => {
  const below: ByteSource = {
    byteLength: 100,
    version: "v1",
    gapBytes: 12_345,
    read: async (into, position) => void into.fill(position),
    close: async () => t.fail(),
  };
  const region = regionSource(below, 10, 50);
  t.is(region.version, "v1");
  t.is(region.gapBytes, 12_345);
  t.is(region.readSync, undefined);
  t.is(region.bytes, undefined);
  const into = new Uint8Array(1);
  await region.read(into, 5);
  t.deepEqual([...into], [15]);
  await region.close();
});
