import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { inflateRawSync } from "node:zlib";
import { NpyError } from "@npystream/codec";
import test from "ava";
import { errorLine } from "../src/error-line.ts";

const failure = async (act: () => Promise<unknown>): Promise<unknown> => {
  try {
    return await act();
  } catch (error) {
    return error;
  }
};

test("an NpyError gives its code, place and message", (t) => {
  t.is(errorLine("a.npy", new NpyError("ERR_NPY_MAGIC", "no magic")), "error ERR_NPY_MAGIC a.npy: no magic");
});

test("the error's own member goes before the one asked for", (t) => {
  const error = new NpyError("ERR_NPZ_CRC", "bad", { member: "x" });
  t.is(errorLine("a.npz", error, "y"), "error ERR_NPZ_CRC a.npz#x: bad");
  t.is(errorLine("a.npz", new NpyError("ERR_NPZ_CRC", "bad"), "y"), "error ERR_NPZ_CRC a.npz#y: bad");
});

test("a system error gives the system's code and plain words without the path twice", async (t) => {
  t.is(errorLine("x/y", await failure(() => open("/no/such/file", "r"))), "error ENOENT x/y: no such file");
  t.is(errorLine("x", await failure(() => readFile(tmpdir()))), "error EISDIR x: this is a folder, not a file");
  t.is(
    errorLine("x", await failure(() => open("/dev/null/x", "r"))),
    "error ENOTDIR x: a part of the path is a file, not a folder",
  );
});

test("a system error inside another error is found", async (t) => {
  const cause = await failure(() => open("/no/such/file", "r"));
  t.is(errorLine("x", new Error("could not", { cause })), "error ENOENT x: no such file");
});

test("a server of a queue that does not answer is told of as that", async (t) => {
  const cause = await failure(() => open("/no/such/file", "r"));
  const error = new NpyError("ERR_QUEUE_UNAVAILABLE", "the server cannot be reached", { cause });
  t.is(errorLine("redis://h:1", error), "error ERR_QUEUE_UNAVAILABLE redis://h:1: the server cannot be reached");
});

test("an error of zlib inside another is not the system's", (t) => {
  const cause = t.throws(() => inflateRawSync(Uint8Array.of(0xff)));
  const error = new NpyError("ERR_NPZ_DEFLATE", "the deflate stream is broken", { cause });
  t.is(errorLine("a.npz", error, "x"), "error ERR_NPZ_DEFLATE a.npz#x: the deflate stream is broken");
});

test("any other failure is one line too, named by its class", (t) => {
  t.is(
    errorLine("x", new RangeError("Array buffer\nallocation failed")),
    "error RangeError x: Array buffer\\nallocation failed",
  );
  t.is(errorLine("x", "text"), "error Error x: text");
});
