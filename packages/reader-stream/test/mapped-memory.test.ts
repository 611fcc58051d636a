import test from "ava";
import { checkAdvice, checkMapMode, type MapAdvice, type MapMode, systemCallError } from "../src/mapped-memory.ts";

test("advice and modes that there are not are refused by name", (t) => {
  for (const advice of ["normal", "random", "sequential", "willneed"] as const) t.notThrows(() => checkAdvice(advice));
  t.throws(() => checkAdvice("soon" as MapAdvice), { instanceOf: RangeError, message: /willneed, not soon/ });
  for (const mode of ["c", "r+"] as const) t.notThrows(() => checkMapMode(mode));
  // NumPy's other modes: w+ is createMappedNpy.
  t.throws(() => checkMapMode("r" as MapMode), { instanceOf: RangeError, message: /'c' stands in for 'r'/ });
  t.throws(() => checkMapMode("w+" as MapMode), { instanceOf: RangeError });
});

test("the error of a call has what Node's own system errors have", (t) => {
  const error = systemCallError("mmap", "ENOMEM", 12, "x.npy");
  t.like(error, { code: "ENOMEM", errno: -12, syscall: "mmap", path: "x.npy" });
  t.is(error.message, "ENOMEM: mmap failed with error 12 'x.npy'");
});
