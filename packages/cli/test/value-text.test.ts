import { type DTypeLike, elementType, NaT, type Scalar } from "@npystream/codec";
import test, { type ExecutionContext } from "ava";
import { valueText } from "../src/value-text.ts";

const writes = test.macro({
  title: (_, type: DTypeLike, _value: Scalar, json: string, csv: string, words: readonly string[]) =>
    `${JSON.stringify(type)} is ${json} in JSON, ${csv} in CSV and ${words.join(" ")} in columns`,
  exec(t: ExecutionContext, type: DTypeLike, value: Scalar, json: string, csv: string, words: readonly string[]) {
    const text = valueText(elementType(type));
    const found: string[] = [];
    text.words(value, found);
    t.deepEqual([text.json(value), text.csv(value), found], [json, csv, words]);
  },
});

const record = [
  ["x", "<f4"],
  ["é", "<i8", [2]],
  ["in", [["t", "S1"]]],
] as const;

test(writes, "bool", true, "true", "true", ["True"]);
test(writes, "int32", -5, "-5", "-5", ["-5"]);
test(writes, "int64", -(2n ** 63n), '"-9223372036854775808"', "-9223372036854775808", ["-9223372036854775808"]);
test(writes, "uint64", 2n ** 64n - 1n, '"18446744073709551615"', "18446744073709551615", ["18446744073709551615"]);
test(writes, "float64", 0.1, "0.1", "0.1", ["0.1"]);
test(writes, "float64", -0, "-0.0", "-0.0", ["-0.0"]);
test(writes, "float32", Math.fround(0.1), "0.10000000149011612", "0.10000000149011612", ["0.1"]);
test(writes, "float16", 0.0999755859375, "0.0999755859375", "0.0999755859375", ["0.1"]);
test(writes, "bfloat16", 0.10009765625, "0.10009765625", "0.10009765625", ["0.1001"]);
test(writes, "float64", Number.NaN, '"NaN"', "NaN", ["nan"]);
test(writes, "float32", Number.NEGATIVE_INFINITY, '"-Infinity"', "-Infinity", ["-inf"]);
test(writes, "complex128", { re: 1, im: -0 }, "[1.0,-0.0]", "1.0-0.0j", ["1.0-0.0j"]);
test(writes, "complex64", { re: Number.NaN, im: 0.5 }, '["NaN",0.5]', "NaN+0.5j", ["nan+0.5j"]);
test(writes, "timedelta64[s]", -5n, '"-5"', "-5", ["-5"]);
test(writes, "timedelta64[s]", NaT, '"-9223372036854775808"', "-9223372036854775808", ["NaT"]);
test(writes, "datetime64[s]", 1_767_323_045n, '"2026-01-02T03:04:05"', "2026-01-02T03:04:05", ["2026-01-02T03:04:05"]);
test(writes, "datetime64[D]", NaT, '"NaT"', "NaT", ["NaT"]);
test(writes, "S4", Uint8Array.of(0x61, 0x22, 0xe9), '"a\\"é"', '"a""é"', ['a"é']);
test(writes, "U4", "a,b\n", '"a,b\\n"', '"a,b\n"', ["a,b\\n"]);
test(writes, "U4", "", '""', '""', [""]);
test(writes, "V3", Uint8Array.of(0, 10, 255), '"000aff"', "000aff", ["000aff"]);
test(
  writes,
  record,
  { x: 0.5, é: [1n, -1n], in: { t: Uint8Array.of(0x61) } },
  '{"x":0.5,"é":["1","-1"],"in":{"t":"a"}}',
  "0.5,1,-1,a",
  ["0.5", "1", "-1", "a"],
);
