import test from "ava";
import { splitSizes } from "../src/split-sizes.ts";

const gives = test.macro({
  title: (_, length: number, parts: readonly number[], sizes: readonly number[]) =>
    `${length} rows in parts of ${parts.join(", ")} are ${sizes.join(", ")}`,
  exec(t, length: number, parts: readonly number[], sizes: readonly number[]) {
    t.deepEqual(splitSizes(length, Object.fromEntries(parts.map((part, i) => [`p${i}`, part]))), sizes);
  },
});
test(gives, 10, [0.8, 0.2], [8, 2]);
test(gives, 10, [0.75, 0.25], [8, 2]);
test(gives, 1, [0.5, 0.5], [1, 0]);
test(gives, 0, [0.5, 0.5], [0, 0]);
test(gives, 100, [0.7, 0.2, 0.1], [70, 20, 10]);
test(gives, 100, [0.29, 0.71], [29, 71]);
test(gives, 7, [1 / 3, 1 / 3, 1 / 3], [3, 2, 2]);
test(gives, 1797, [1], [1797]);
test(gives, 5, [1, 0], [5, 0]);
test(gives, 5, [2, 3], [2, 3]);
test(gives, 2 ** 40, [0.1, 0.9], [109_951_162_778, 989_560_464_998]);
