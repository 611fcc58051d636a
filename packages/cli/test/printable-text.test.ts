import test from "ava";
import { printable } from "../src/printable-text.ts";

test("control characters become escapes, so that a name stays on one line and moves no cursor", (t) => {
  t.is(printable("a\nb\r\tc\x1b[2Jd\x00\x9b\u2028\u202e"), "a\\nb\\r\\tc\\x1b[2Jd\\x00\\x9b\\u2028\\u202e");
});

test("other text stays as it is", (t) => {
  t.is(printable("größe/π#x y\\n"), "größe/π#x y\\n");
});
