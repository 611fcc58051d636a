import { execFileSync } from "node:child_process";
import test from "ava";
import { formatDatetimeUnit, parseDatetimeUnit } from "../src/datetime-unit.ts";

const units = "Y M W D h m s ms us ns ps fs as \u03bcs 1s 25s 7D 2147483647as generic".split(" ");
const expected: string[] = JSON.parse(
  execFileSync(
    "python3",
    [
      "-c",
      "import json, sys, numpy as np\nprint(json.dumps([np.dtype(f'M8[{u}]').str[3:] for u in json.loads(sys.argv[1])]))",
      JSON.stringify(units),
    ],
    { encoding: "utf8" },
  ),
);

test("a unit is written as NumPy writes it", (t) => {
  t.deepEqual(
    units.map((unit) => formatDatetimeUnit(parseDatetimeUnit(unit))),
    expected,
  );
  t.is(parseDatetimeUnit(""), undefined);
  t.deepEqual(parseDatetimeUnit("25s"), { name: "s", count: 25 });
});

test("what is no unit is ERR_NPY_DTYPE", (t) => {
  for (const text of ["0s", "-1s", "2147483648s", "99999999999s", "s2", "S", "min", "1.5s", " s", "sec"]) {
    t.throws(() => parseDatetimeUnit(text), { code: "ERR_NPY_DTYPE", message: /is not a unit of time/ }, text);
  }
});
