import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { createMappedNpy, fileSource, mapNpy, mapNpz, mappedSource } from "../src/index.ts";
import { localPath } from "../src/local-path.ts";

const path = join("/data", "a b#1.npy");

test("a path stays as it is, and a file: URL, as text or object, is the path it names", (t) => {
  t.is(localPath("a b.npy", ""), "a b.npy");
  t.is(localPath(pathToFileURL(path), ""), path);
  t.is(localPath(pathToFileURL(path).href, ""), path);
  t.is(localPath("file.npy", ""), "file.npy");
});

test("another URL and what is no path are TypeErrors that say what was passed", (t) => {
  const refuses = (value: unknown, message: RegExp): void => {
    t.throws(() => localPath(value as string, "not here"), { instanceOf: TypeError, message });
  };
  for (const url of ["http://host/x", "HTTPS://host/x"]) {
    refuses(url, /^not here$/);
    refuses(new URL(url), /^not here$/);
  }
  refuses(new URL("ftp://user:secret@host/x"), /^expected a file: URL, not ftp:$/);
  refuses(undefined, /, not undefined$/);
  refuses(7, /, not a number$/);
  refuses(new ArrayBuffer(8), /, not an ArrayBuffer$/);
});

test("whoever maps a URL is told what reads it", async (t) => {
  const url = "http://user:secret@host/x.npy";
  const message = "an http: or https: URL cannot be mapped: openNpy and openNpz read it by ranges";
  t.throws(() => mapNpy(url), { instanceOf: TypeError, message });
  t.throws(() => mapNpz(new URL(url)), { instanceOf: TypeError, message });
  t.throws(() => mappedSource(url), { instanceOf: TypeError, message });
  t.throws(() => createMappedNpy(url, { dtype: "int8", shape: [1] }), { instanceOf: TypeError, message });
  await t.throwsAsync(fileSource(url), { instanceOf: TypeError, message: /httpSource reads/ });
  for (const odd of [undefined, 7, new ArrayBuffer(8)]) {
    t.throws(() => mapNpy(odd as never), { instanceOf: TypeError, message: /expected a path or a file: URL, not / });
    await t.throwsAsync(fileSource(odd as never), { instanceOf: TypeError, message: /expected a path or a file: URL/ });
  }
});
