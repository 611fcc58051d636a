import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { parseFileReference } from "../src/file-reference.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-reference-"));
test.after.always(() => rmSync(folder, { recursive: true }));
for (const name of ["set.npz", "run#7.npz", "plain#npy", "data"]) writeFileSync(join(folder, name), "");
const at = (name: string): string => join(folder, name);

test("a member follows the archive behind a hash", async (t) => {
  t.deepEqual(await parseFileReference(at("set.npz#x")), { path: at("set.npz"), member: "x" });
  t.deepEqual(await parseFileReference(at("set.npz#a#b")), { path: at("set.npz"), member: "a#b" });
});

test("a hash may be part of the file's name", async (t) => {
  t.deepEqual(await parseFileReference(at("plain#npy")), { path: at("plain#npy") });
  t.deepEqual(await parseFileReference(at("run#7.npz#x")), { path: at("run#7.npz"), member: "x" });
});

test("the file's name need not end in .npz, since its content tells", async (t) => {
  t.deepEqual(await parseFileReference(at("data#x")), { path: at("data"), member: "x" });
});

test("stdin may have members", async (t) => {
  t.deepEqual(await parseFileReference("-"), { path: "-" });
  t.deepEqual(await parseFileReference("-#x"), { path: "-", member: "x" });
});

test("of a file that is missing the part behind .npz is the member", async (t) => {
  t.deepEqual(await parseFileReference(at("no.npz#x")), { path: at("no.npz"), member: "x" });
  t.deepEqual(await parseFileReference(at("no#x")), { path: at("no#x") });
});
