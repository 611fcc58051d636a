import { NpyError } from "@npystream/codec";
import test from "ava";
import { existsError, writeError } from "../src/write-error.ts";

const systemError = (code: string): Error => Object.assign(new Error(`${code}: as the system says it`), { code });

test("a full disk and a spent quota are ERR_WRITE_NO_SPACE, every other failure ERR_WRITE_IO, with their cause", (t) => {
  for (const [errno, code] of [
    ["ENOSPC", "ERR_WRITE_NO_SPACE"],
    ["EDQUOT", "ERR_WRITE_NO_SPACE"],
    ["EIO", "ERR_WRITE_IO"],
    ["EFBIG", "ERR_WRITE_IO"],
  ] as const) {
    const cause = systemError(errno);
    const error = writeError(cause, "/x.npy");
    t.like(error, { code, path: "/x.npy", cause });
    t.regex(error.message, new RegExp(errno));
  }
  t.like(writeError("a string"), { code: "ERR_WRITE_IO", cause: "a string" });
});

test("an error that has a code keeps it and learns the path", (t) => {
  const error = new NpyError("ERR_WRITE_SHAPE", "chunk 3");
  t.is(writeError(error, "/x.npy"), error);
  t.is(error.path, "/x.npy");
  t.is(existsError("/x.npy").path, "/x.npy");
});
