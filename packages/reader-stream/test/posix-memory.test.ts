import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { loadKoffi } from "../src/koffi-library.ts";
import type { MapMode, MemoryCalls } from "../src/mapped-memory.ts";
import { posixMemory } from "../src/posix-memory.ts";
import { testFolder } from "./arrays-by-numpy.ts";

const folder = testFolder("posix-memory");
const koffi = loadKoffi();

function callsHere(): MemoryCalls {
  const calls = posixMemory(koffi);
  if (calls === undefined) throw new Error(`no constants of ${process.platform}`);
  return calls;
}

const writes = test.macro({
  title: (_, mode: MapMode) =>
    `bytes of a mapping of mode ${mode} are the file's, and what is written is as the mode says`,
  exec(t, mode: MapMode) {
    const calls = callsHere();
    const path = join(folder, `${mode === "c" ? "c" : "shared"}.bin`);
    const content = Buffer.from({ length: 200_000, 0: 1, 199999: 9 } as ArrayLike<number>);
    writeFileSync(path, content);
    const fd = openSync(path, mode === "c" ? "r" : "r+");
    const memory = calls.map({ fd, path, byteLength: content.length, mode });
    closeSync(fd);
    {
      const bytes = Buffer.from(koffi.view(memory.address, memory.byteLength));
      t.deepEqual(bytes, content);
      bytes[100_000] = 7;
      for (const advice of ["sequential", "random", "willneed", "normal"] as const) {
        calls.advise(memory, 70_001, 20_000, advice);
      }
      calls.flush(memory);
    }
    t.is(readFileSync(path)[100_000], mode === "c" ? 0 : 7);
    t.notThrows(() => calls.unmap(memory));
  },
});

test(writes, "c");
test(writes, "r+");

test("what the system refuses is its own error", (t) => {
  const calls = callsHere();
  const request = { path: "x.npy", byteLength: 4096, mode: "c" } as const;
  t.throws(() => calls.map({ ...request, fd: 999_999 }), { code: "EBADF", message: /mmap.*'x\.npy'/ });
  const nowhere = { address: 4096n * 16n, byteLength: 4096, mode: "c" } as const;
  t.throws(() => calls.flush(nowhere), { code: "ENOMEM" });
  t.throws(() => calls.advise({ ...nowhere, address: 1n }, 0, 1, "normal"), { code: "EINVAL" });
  t.throws(() => calls.unmap({ ...nowhere, address: 1n }), { code: "EINVAL" });
});

test("a system whose constants are not known has no calls", (t) => {
  t.is(posixMemory(koffi, "plan9"), undefined);
  t.not(posixMemory(koffi, "freebsd"), undefined);
});
