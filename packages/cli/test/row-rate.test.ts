import test from "ava";
import { RowRate } from "../src/row-rate.ts";

test("a rate is the mean of the last ten seconds, or of the time since the beginning", (t) => {
  const rate = new RowRate(0);
  t.is(rate.at(1000), 0);
  rate.add(500, 1000);
  t.is(rate.at(2000), 250);
  rate.add(500, 5000);
  t.is(rate.at(10_000), 100);
  t.is(rate.at(12_000), 50);
  t.is(rate.at(20_000), 0);
});
