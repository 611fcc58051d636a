import { NpyError } from "@npystream/codec";
import test from "ava";
import { convertFailure } from "../src/convert-failure.ts";

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

test("a target that exists is told with the flag that replaces it, whatever found it", (t) => {
  for (const cause of [undefined, systemError("EEXIST")]) {
    const told = convertFailure(
      new NpyError("ERR_WRITE_EXISTS", "overwrite: true", { path: "/x.npz", member: "a", cause }),
    );
    t.like(told, { path: "/x.npz", code: "ERR_WRITE_EXISTS", message: "it exists already; --overwrite replaces it" });
    t.is((told as NpyError).member, undefined);
    t.is((told as NpyError).cause, undefined);
  }
});

test("a missing folder is told in the writer's words, and everything else as it was", (t) => {
  const missing = new NpyError("ERR_WRITE_IO", "there is no folder /a", { cause: systemError("ENOENT") });
  t.like(convertFailure(missing), { code: "ERR_WRITE_IO", message: missing.message, cause: undefined });
  for (const other of [
    new NpyError("ERR_WRITE_IO", "denied", { cause: systemError("EACCES") }),
    new NpyError("ERR_NPY_MAGIC", "none", { cause: systemError("ENOENT") }),
    systemError("ENOENT"),
    "text",
  ]) {
    t.is(convertFailure(other), other);
  }
});
