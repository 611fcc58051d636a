import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadKoffi } from "../src/koffi-library.ts";
import { testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("koffi");

test("koffi is loaded and shows memory of the C library", (t) => {
  const koffi = loadKoffi();
  t.is(koffi.view(0n, 0).byteLength, 0);
  t.is(typeof koffi.load(null).func("getpid", "int", [])(), "number");
});

test("without koffi every mapping is ERR_MAP_UNAVAILABLE that says what to do, and reading works", (t) => {
  // A resolver that does not find it, as where an optional dependency was left out.
  writeFileSync(
    join(folder, "without-koffi.cjs"),
    `const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request === "koffi") throw Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
  return resolve.call(this, request, ...rest);
};`,
  );
  const program = `
const { createMappedNpy, mapNpy, mapNpz, mappedSource, openNpy } = await import(${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)});
const { encodeNpy, encodeNpz, NdArray } = await import(${JSON.stringify(import.meta.resolve("@npystream/codec"))});
const { writeFileSync } = await import("node:fs");
const x = NdArray.from(Float32Array.of(1, 2, 3));
writeFileSync("x.npy", encodeNpy(x));
writeFileSync("x.npz", encodeNpz({ x }));
const failures = [
  () => mapNpy("x.npy"),
  () => mapNpz("x.npz"),
  () => mappedSource("x.npy"),
  () => createMappedNpy("new.npy", { dtype: "float32", shape: [3] }),
].map((act) => {
  try {
    act();
    return "no error";
  } catch ({ code, message, cause }) {
    return { code, message, cause: cause?.code };
  }
});
const array = await openNpy("x.npy");
console.log(JSON.stringify({ failures, read: (await array.read()).toNested() }));
await array.close();
`;
  writeFileSync(join(folder, "program.mjs"), program);
  const args = ["--require", "./without-koffi.cjs", "--conditions=@npystream/source"];
  const stdout = execFileSync(
    process.execPath,
    [
      ...args,
      `--import=${import.meta.resolve("tsx")}`,
      "--input-type=module",
      "--eval",
      `await import("./program.mjs")`,
    ],
    { cwd: folder, encoding: "utf8", env: { ...process.env, NODE_PATH: "" } },
  );
  const { failures, read } = JSON.parse(stdout) as {
    failures: { code: string; message: string; cause: string }[];
    read: number[];
  };
  t.deepEqual(read, [1, 2, 3]);
  t.is(failures.length, 4);
  for (const failure of failures) {
    t.like(failure, { code: "ERR_MAP_UNAVAILABLE", cause: "MODULE_NOT_FOUND" });
    t.regex(failure.message, /npm install koffi.*openNpy/);
  }
  t.false(readdirSync(folder).includes("new.npy"));
});
