import test from "ava";
import { isSafePath, isSafeSegment } from "../src/safe-path.ts";

const accepts = test.macro({
  title: (_, path: string) => `${JSON.stringify(path.slice(0, 40))} may be a path`,
  exec(t, path: string) {
    t.true(isSafePath(path));
  },
});
for (const path of [
  "a.npy",
  "train/00001.features.npy",
  ".hidden",
  "a..b",
  "split=train/größe π.npy",
  "😀",
  "console",
  "com10",
  "aux_1",
  `${"é".repeat(127)}/a`,
  Array(16).fill("x".repeat(255)).join("/"),
]) {
  test(accepts, path);
}

const refuses = test.macro({
  title: (_, path: string) => `${JSON.stringify(path.slice(0, 40))} may not, ${path.length} characters`,
  exec(t, path: string) {
    t.false(isSafePath(path));
  },
});
for (const path of [
  "",
  "/etc/passwd",
  "..",
  "a/../b",
  "./a",
  "a//b",
  "a/",
  "a\\b",
  "C:/a",
  "c:",
  "a\0",
  "a\nb",
  "\u0085",
  "a.",
  "a ",
  "NUL",
  "con.npy",
  "aux .txt",
  "COM1",
  "lpt³.x",
  "\ud83d",
  "x".repeat(256),
  "é".repeat(128),
  Array(17).fill("x".repeat(255)).join("/"),
]) {
  test(refuses, path);
}

test("a segment is no path of two", (t) => {
  t.true(isSafeSegment("a"));
  t.false(isSafeSegment(""));
});
