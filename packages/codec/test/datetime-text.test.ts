import { execFileSync } from "node:child_process";
import { elementType, formatDatetime, formatTimedelta, NaT } from "@npystream/codec";
import test from "ava";

// Every unit alone and in multiples: the first and last counts, the epoch, both sides of the year 0 and of years with
// more than four digits, and counts at random. A count that overflows within NumPy (its dates are int64 in the unit
// itself) is left out.
const program = `
import json
import numpy as np
rng = np.random.default_rng(3)
UNITS = {'Y': 1, 'M': 12, 'W': 52, 'D': 366, 'h': 8766, 'm': 525960, 's': 31557600}
for power, unit in enumerate(['ms', 'us', 'ns', 'ps', 'fs', 'as'], 1): UNITS[unit] = 31557600 * 1000 ** power
out = []
for unit, a_year in UNITS.items():
    for count in [1, 2, 7, 25, 1000]:
        dtype = np.dtype(f'M8[{count}{unit}]')
        largest = (2 ** 63 - 1) // count
        values = [0, 1, -1, 11, -11, 12, -13, 59, 60, 61, -60, 365, 366, -366, 999, -999, 1000, 86399, -86400, 86401]
        values += [a_year * years // count + shift for years in (-11970, -10969, -2971, -1970, -1969, -970, -1, 30, 130, 8030, 29999) for shift in (-1, 0, 1)]
        values += [int(v) for v in rng.integers(-min(largest, a_year * 4000), min(largest, a_year * 4000), 60)]
        if unit in ('D', 'h', 'm', 's'): values += [int(v) for v in rng.integers(-800000, 800000, 40)]
        if unit not in ('Y', 'M', 'W', 'D', 'h', 'm'): values += [largest, -largest]
        values = [v for v in values if abs(v) <= largest]
        array = np.array(values + [-2 ** 63], 'i8').view(dtype)
        out.append([dtype.str, [str(v) for v in values] + [str(-2 ** 63)], [str(v) for v in np.datetime_as_string(array)], [str(v) for v in array]])
print(json.dumps(out))
`;
const cases: [string, string[], string[], string[]][] = JSON.parse(
  execFileSync("python3", ["-W", "ignore", "-c", program], { encoding: "utf8", maxBuffer: 1 << 26 }),
);

const prints = test.macro({
  title: (_, dtype: string) => `${dtype} is printed as NumPy's datetime_as_string and str print it`,
  exec(t, dtype: string, counts: readonly string[], texts: readonly string[], words: readonly string[]) {
    const type = elementType(dtype);
    const printed = counts.map((count) => formatDatetime(BigInt(count), type));
    t.deepEqual(printed, [...texts]);
    t.deepEqual(printed, [...words]);
  },
});
for (const [dtype, counts, texts, words] of cases) test(prints, dtype, counts, texts, words);

test("NaT is the smallest int64, and prints as that in every unit", (t) => {
  t.is(NaT, -(2n ** 63n));
  t.is(formatDatetime(NaT, elementType("M8[ns]")), "NaT");
  t.is(formatDatetime(NaT, elementType("M8")), "NaT");
});

test("a datetime without a unit is no date, and a timedelta is none at all", (t) => {
  t.is(formatDatetime(7n, elementType("datetime64")), "7");
  t.throws(() => formatDatetime(0n, elementType("timedelta64[s]")), {
    instanceOf: TypeError,
    message: /timedelta64\[s\]/,
  });
});

test("a timedelta of every unit and multiple is printed as NumPy's str prints it", (t) => {
  const program = `
import json, numpy as np
out = []
for unit in ['Y', 'M', 'W', 'D', 'h', 'm', 's', 'ms', 'us', 'ns', 'ps', 'fs', 'as']:
    for count in ['', '7', '25']:
        for value in [0, 1, -5, 1000]:
            a = np.array([value], 'i8').view(f'm8[{count}{unit}]')
            out.append([f'timedelta64[{count}{unit}]', value, str(a[0])])
out.append(['timedelta64', 3, str(np.timedelta64(3))])
print(json.dumps(out))`;
  const answers: [string, number, string][] = JSON.parse(
    execFileSync("python3", ["-c", program], { encoding: "utf8" }),
  );
  for (const [dtype, value, text] of answers) t.is(formatTimedelta(BigInt(value), elementType(dtype)), text, dtype);
  t.is(formatTimedelta(NaT, elementType("timedelta64[s]")), "NaT");
  t.throws(() => formatTimedelta(0n, elementType("datetime64[s]")), { instanceOf: TypeError, message: /datetime64/ });
});
