import { openAsBlob, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { blobSource } from "../src/index.ts";
import { testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("blob");

sourceSuite(test, "a blob", async (_, __, content) => ({ source: blobSource(new Blob([new Uint8Array(content)])) }));

test("a File has a version of its size and date, a Blob has none", (t) => {
  t.is(blobSource(new Blob(["abc"])).version, undefined);
  const version = (lastModified: number): string | undefined =>
    blobSource(new File(["abc"], "x.npy", { lastModified })).version;
  t.is(version(1), version(1));
  t.not(version(1), version(2));
});

test("a blob of a file that was changed is ERR_SOURCE_CHANGED", async (t) => {
  const path = join(folder, "x.bin");
  writeFileSync(path, "before");
  const source = blobSource(await openAsBlob(path));
  const into = new Uint8Array(3);
  await source.read(into, 1);
  t.is(Buffer.from(into).toString(), "efo");
  writeFileSync(path, "another content");
  const error = await t.throwsAsync(source.read(into, 1), { code: "ERR_SOURCE_CHANGED" });
  t.like(error, { cause: { name: "NotReadableError" } });
});
