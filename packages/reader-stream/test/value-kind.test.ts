import test from "ava";
import { kindOf } from "../src/value-kind.ts";

test("a value is called by its kind, with the right article, and never shown", (t) => {
  const values = [
    undefined,
    null,
    7,
    "secret",
    true,
    {},
    [],
    new ArrayBuffer(1),
    Object.create(null),
    () => 1,
    Symbol(),
  ];
  t.deepEqual(values.map(kindOf), [
    "undefined",
    "null",
    "a number",
    "a string",
    "a boolean",
    "an Object",
    "an Array",
    "an ArrayBuffer",
    "an object",
    "a function",
    "a symbol",
  ]);
});
