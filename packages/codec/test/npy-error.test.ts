import { inspect } from "node:util";
import { isNpyError, NpyError } from "@npystream/codec";
import test from "ava";

test("an error has its code, its place and its cause as own properties, so that it is printed with them", (t) => {
  const cause = new Error("below");
  const error = new NpyError("ERR_NPY_SHAPE", "no shape", { path: "a.npz", member: "x", offset: 7, cause });
  t.true(error instanceof Error);
  t.like(error, {
    name: "NpyError",
    code: "ERR_NPY_SHAPE",
    message: "no shape",
    path: "a.npz",
    member: "x",
    offset: 7,
    cause,
  });
  t.deepEqual(Object.keys(error).sort(), ["code", "member", "offset", "path"]);
  t.regex(inspect(error), /NpyError: no shape[\s\S]*code: 'ERR_NPY_SHAPE'[\s\S]*below/);
  t.deepEqual(Object.keys(new NpyError("ERR_NPY_SHAPE", "no shape")), ["code"]);
  t.false("cause" in new NpyError("ERR_NPY_SHAPE", "no shape"));
});

test("locate fills in what the thrower did not know, and no more", (t) => {
  const error = new NpyError("ERR_NPY_SHAPE", "no shape", { member: "x" });
  t.is(error.locate({ path: "a.npz", member: "y" }), error);
  t.like(error, { path: "a.npz", member: "x" });
});

test("an error of another installed copy is recognised, other errors are not", (t) => {
  class Other extends Error {
    get npystreamError(): true {
      return true;
    }
  }
  t.true(isNpyError(new NpyError("ERR_NPY_SHAPE", "no shape")));
  t.true(isNpyError(new Other()));
  for (const error of [new TypeError("no"), { npystreamError: true }, null, undefined, "ERR_NPY_SHAPE"])
    t.false(isNpyError(error));
});

test("a message is one line without what speaks to a terminal, and not of any length", (t) => {
  const { message } = new NpyError("ERR_NPY_DTYPE", "a\nb\x1b[31m\u2028\x00");
  t.is(message, "a\\x0ab\\x1b[31m\\x2028\\x00");
  t.true(new NpyError("ERR_NPY_DTYPE", "x".repeat(1 << 20)).message.length < 2000);
});
