import { writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { bytesSource } from "../src/index.ts";
import { openSource, type SourceLike } from "../src/open-source.ts";
import { openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { RangeServer } from "./range-server.ts";

const folder = testFolder("open-source");
const path = join(folder, "x.bin");
const content = Buffer.from("0123456789");
writeFileSync(path, content);

const opens = test.macro(async (t, from: () => SourceLike | Promise<SourceLike>, expected: string | undefined) => {
  const { source, path: shown } = await openSource(await from());
  t.is(shown, expected);
  const into = new Uint8Array(10);
  await source.read(into, 0);
  t.deepEqual(into, new Uint8Array(content));
  await source.close();
});

test.serial("a path is opened", opens, () => path, path);
test.serial("a file: URL is opened", opens, () => pathToFileURL(path), path);
test.serial("a blob is opened", opens, () => new Blob([content]), undefined);
test.serial("bytes are opened", opens, () => content, undefined);
test.serial("a source is taken as it is", opens, () => bytesSource(content), undefined);

test.serial("an open file is read and stays open", async (t) => {
  const file = await open(path);
  const { source } = await openSource(file);
  await source.close();
  t.is(openDescriptors(folder), 1);
  await file.close();
  t.is(openDescriptors(folder), 0);
});

test("http: addresses are opened, as text or URL, and shown without what is secret in them", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  for (const address of [server.url("/x?token=secret"), new URL(server.url("/x?token=secret"))]) {
    const { source, path: shown } = await openSource(address);
    t.is(shown, server.url("/x"));
    t.is(source.byteLength, 10);
    await source.close();
  }
  const reason = new Error("enough");
  await t.throwsAsync(openSource(server.url("/x"), { signal: AbortSignal.abort(reason) }), { is: reason });
});

test("anything else is a TypeError", async (t) => {
  await t.throwsAsync(openSource(new URL("ftp://user:secret@host/x")), { instanceOf: TypeError, message: /not ftp:$/ });
  for (const odd of [undefined, null, 7, {}, [path]]) {
    await t.throwsAsync(openSource(odd as unknown as SourceLike), { instanceOf: TypeError });
  }
});
