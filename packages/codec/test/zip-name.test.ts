import { execFileSync } from "node:child_process";
import test from "ava";
import { decodeMemberName, encodeMemberName } from "../src/zip-name.ts";

test("names without the flag are cp437, as Python's codec has it", (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const expected = JSON.parse(
    execFileSync("python3", ["-c", "import json; print(json.dumps(bytes(range(256)).decode('cp437')))"], {
      encoding: "utf8",
    }),
  );
  t.is(decodeMemberName(all, false), expected);
});

test("names with the flag are UTF-8, and only names that need it have it", (t) => {
  t.deepEqual(encodeMemberName("a.npy"), { bytes: new TextEncoder().encode("a.npy"), utf8: false });
  const { bytes, utf8 } = encodeMemberName("größe/π.npy");
  t.true(utf8);
  t.is(decodeMemberName(bytes, true), "größe/π.npy");
});

test("a name has no NUL and at most 65,535 bytes", (t) => {
  t.is(encodeMemberName("x".repeat(65_535)).bytes.length, 65_535);
  t.throws(() => encodeMemberName("é".repeat(32_768)), { instanceOf: TypeError, message: /65,535 bytes, not 65536/ });
  t.throws(() => encodeMemberName("a\0b"), { instanceOf: TypeError, message: /NUL/ });
});

test("a byte order mark is a part of a name, and half a surrogate pair is none", (t) => {
  t.is(decodeMemberName(encodeMemberName("\ufeffa.npy").bytes, true), "\ufeffa.npy");
  t.notThrows(() => encodeMemberName("\u{1f600}"));
  t.throws(() => encodeMemberName("a\ud800"), { instanceOf: TypeError, message: /half a pair/ });
});
