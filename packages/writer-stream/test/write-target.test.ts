import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ByteSink } from "@npystream/codec";
import test from "ava";
import { isSink, openSink, sinkPath, type WriteTarget } from "../src/write-target.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-target-"));
test.after.always(() => rmSync(folder, { recursive: true }));
const sink: ByteSink = {
  seekable: true,
  write: async () => undefined,
  commit: async () => undefined,
  abort: async () => undefined,
};

test("a path and a URL are no sinks, what writes and commits is one, and anything else is a TypeError", (t) => {
  t.false(isSink("x.npy"));
  t.false(isSink(pathToFileURL("x.npy")));
  t.true(isSink(sink));
  for (const odd of [5, null, undefined, {}, { write: () => undefined }]) {
    t.throws(() => isSink(odd as unknown as WriteTarget), { instanceOf: TypeError, message: /streamSink/ });
  }
});

test("a sink is taken as it is, a path is opened as a file that knows its path", async (t) => {
  t.is(await openSink(sink, false), sink);
  t.deepEqual(sinkPath(sink), {});
  const file = await openSink(join(folder, "x.npy"), false);
  t.deepEqual(sinkPath(file), { path: join(folder, "x.npy") });
  await file.abort();
});
