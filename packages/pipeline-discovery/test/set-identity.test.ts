import { elementType } from "@npystream/codec";
import test from "ava";
import { generationOf, setId } from "../src/set-identity.ts";

const float32 = elementType("float32");
const arrays = (shape: readonly number[]) => new Map([["x", { type: float32, order: "C" as const, shape }]]);
const generation = generationOf(["5-71-96-1700000000000000001"], arrays([2, 4]));

test("a generation is the same on another device number, as after a restart of the system", (t) => {
  t.regex(generation, /^[0-9a-f]{64}$/);
  t.is(generationOf(["6-71-96-1700000000000000001"], arrays([2, 4])), generation);
});

for (const [what, files, shape] of [
  ["inode", ["5-72-96-1700000000000000001"], [2, 4]],
  ["size", ["5-71-97-1700000000000000001"], [2, 4]],
  ["time in nanoseconds", ["5-71-96-1700000000000000002"], [2, 4]],
  ["header", ["5-71-96-1700000000000000001"], [4, 2]],
  ["number of files", ["5-71-96-1700000000000000001", "5-71-96-1700000000000000001"], [2, 4]],
] as const) {
  test(`another ${what} is another generation`, (t) => {
    t.not(generationOf(files, arrays(shape)), generation);
  });
}

test("a set has another id in another pipeline, under another key and in another generation", (t) => {
  const ids = [
    setId("p", "k", "g"),
    setId("q", "k", "g"),
    setId("p", "l", "g"),
    setId("p", "k", "h"),
    setId("pk", "", "g"),
  ];
  t.is(new Set(ids).size, ids.length);
  t.true(ids.includes(setId("p", "k", "g")));
});
