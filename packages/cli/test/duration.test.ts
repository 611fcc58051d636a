import test from "ava";
import { durationText, parseCount, parseDuration } from "../src/duration.ts";

test("a time is a number and a unit", (t) => {
  const texts = ["500ms", "90s", "5m", "2h", "30d", "1.5s", "0s"];
  t.deepEqual(texts.map(parseDuration), [500, 90_000, 300_000, 7_200_000, 2_592_000_000, 1500, 0]);
});

test("a time without a unit, with another, or below zero is refused", (t) => {
  for (const text of ["", "5", "s", "5 s", "-1s", "1w", "1e3s", "99999999999999d"]) {
    t.throws(() => parseDuration(text), { message: /a number and a unit/ }, text);
  }
});

test("a count is a whole number that is large enough", (t) => {
  t.is(parseCount("3", 1), 3);
  for (const text of ["0", "-1", "1.5", "x", "", "1e3", "99999999999999999"]) {
    t.throws(() => parseCount(text, 1), { message: /1 or more/ }, text);
  }
});

test("times are worded for people", (t) => {
  const times = [0, 340, 9_940, 9_950, 119_000, 119_500, 7_169_000, 7_200_000];
  t.deepEqual(times.map(durationText), ["0.0 s", "0.3 s", "9.9 s", "10 s", "119 s", "2 min", "119 min", "2.0 h"]);
});
