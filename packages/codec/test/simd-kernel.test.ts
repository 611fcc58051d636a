import { readFile } from "node:fs/promises";
import test from "ava";
import wabt from "wabt";
import { MODULE, makeKernel, runKernel, simdKernel } from "../src/simd-kernel.ts";

/** WebAssembly under the one name by which the kernel asks for it. */
const { WebAssembly: compiler } = globalThis as unknown as {
  WebAssembly: NonNullable<Parameters<typeof makeKernel>[0]>;
};

test("every runtime the packages support compiles the kernel, once", (t) => {
  const kernel = simdKernel();
  t.truthy(kernel);
  t.is(simdKernel(), kernel);
  t.not(makeKernel(compiler), kernel);
});

test("a runtime without WebAssembly, or whose policy forbids it, has no kernel", (t) => {
  t.is(makeKernel(undefined), undefined);
  const forbidden = class {
    constructor() {
      throw new EvalError("Refused to compile or instantiate WebAssembly module");
    }
  };
  t.is(makeKernel({ Module: forbidden, Instance: compiler.Instance }), undefined);
});

test("a loop makes as many bytes as it should and leaves those behind alone", (t) => {
  const kernel = simdKernel();
  if (kernel === undefined) return t.fail();
  const loops = { swap2: 1, swap4: 1, swap8: 1, widen: 2, narrow: 0.5, toInt32: 0.5, toFloat64: 1 } as const;
  for (const [loop, ratio] of Object.entries(loops) as [keyof typeof loops, number][]) {
    for (const length of [8, 72, 32_768, 65_544, 140_000]) {
      const target = new Uint8Array(length * ratio + 16).fill(9);
      runKernel(kernel, loop, new Uint8Array(length), target.subarray(0, length * ratio));
      t.true(
        target.subarray(0, length * ratio).every((byte) => byte === 0),
        `${loop} of ${length}`,
      );
      t.true(
        target.subarray(length * ratio).every((byte) => byte === 9),
        `${loop} of ${length}`,
      );
    }
  }
});

test("the module is what its text is assembled to", async (t) => {
  const text = await readFile(new URL("../src/simd-kernel.wat", import.meta.url), "utf8");
  const module = (await wabt()).parseWat("simd-kernel.wat", text, { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  t.is(Buffer.from(buffer).toString("base64"), MODULE);
});
