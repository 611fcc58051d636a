import test from "ava";
import type { Koffi } from "../src/koffi-library.ts";
import { windowsMemory } from "../src/windows-memory.ts";

type Call = readonly [name: string, ...args: unknown[]];

/** Stands in for kernel32, which is on Windows only: answers each function as told and keeps what it was called with. */
function kernel32(answers: Readonly<Record<string, unknown>>): { koffi: Koffi; calls: Call[] } {
  const calls: Call[] = [];
  const library = {
    func: (name: string, _result: string, types: readonly string[]) => {
      return (...args: readonly unknown[]) => {
        if (args.length !== types.length) throw new TypeError(`${name} takes ${types.length} arguments`);
        calls.push([name, ...args]);
        return name in answers ? answers[name] : 1;
      };
    },
  };
  return { koffi: { load: () => library, address: () => 0n, view: () => new ArrayBuffer(0), errno: () => 0 }, calls };
}

const request = { fd: 3, path: "/data/x.npy", byteLength: 5000 } as const;
const WORKING = { CreateFileW: 40, CreateFileMappingW: 44, MapViewOfFile: 0x7ff0_0000_0000n };

test("a private mapping asks to read the file, and a shared one to write it", (t) => {
  const { koffi, calls } = kernel32(WORKING);
  const memory = windowsMemory(koffi);
  t.deepEqual(memory.map({ ...request, mode: "c" }), {
    address: 0x7ff0_0000_0000n,
    byteLength: 5000,
    mode: "c",
    file: 40,
  });
  memory.map({ ...request, mode: "r+" });
  t.deepEqual(calls, [
    ["CreateFileW", "/data/x.npy", 0x8000_0000, 7, null, 3, 0, 0],
    ["CreateFileMappingW", 40, null, 8, 0, 0, null],
    ["MapViewOfFile", 44, 1, 0, 0, 5000],
    ["CloseHandle", 44],
    ["CreateFileW", "/data/x.npy", 0xc000_0000, 7, null, 3, 0, 0],
    ["CreateFileMappingW", 40, null, 4, 0, 0, null],
    ["MapViewOfFile", 44, 2, 0, 0, 5000],
    ["CloseHandle", 44],
  ]);
});

test("flushing waits for the file, and unmapping closes it", (t) => {
  const { koffi, calls } = kernel32(WORKING);
  const memory = windowsMemory(koffi);
  const mapped = memory.map({ ...request, mode: "r+" });
  calls.length = 0;
  memory.flush(mapped);
  memory.advise(mapped, 0, 5000, "random");
  memory.unmap(mapped);
  t.deepEqual(calls, [
    ["FlushViewOfFile", 0x7ff0_0000_0000n, 5000],
    ["FlushFileBuffers", 40],
    ["UnmapViewOfFile", 0x7ff0_0000_0000n],
    ["CloseHandle", 40],
  ]);
});

const fails = test.macro({
  title: (_, name: string) => `${name} that fails is a system error, and every handle is closed`,
  exec(t, name: string, answer: unknown, handles: readonly number[]) {
    const { koffi, calls } = kernel32({ ...WORKING, [name]: answer, GetLastError: 1455 });
    t.throws(() => windowsMemory(koffi).map({ ...request, mode: "c" }), {
      code: "ENOMEM",
      message: `ENOMEM: ${name} failed with error 1455 '/data/x.npy'`,
    });
    const closed = calls.filter(([called]) => called === "CloseHandle").map(([, handle]) => handle);
    t.deepEqual(closed, handles);
  },
});

test(fails, "CreateFileW", -1, []);
test(fails, "CreateFileMappingW", 0, [40]);
test(fails, "MapViewOfFile", null, [44, 40]);
