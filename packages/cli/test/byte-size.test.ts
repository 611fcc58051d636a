import test from "ava";
import { exactBytes, humanBytes } from "../src/byte-size.ts";

test("bytes are exact below 1 KiB and have one decimal above", (t) => {
  t.is(humanBytes(0), "0 bytes");
  t.is(humanBytes(1), "1 byte");
  t.is(humanBytes(1023), "1023 bytes");
  t.is(humanBytes(1024), "1.0 KiB");
  t.is(humanBytes(256_000), "250.0 KiB");
  t.is(humanBytes(5 * 2 ** 40), "5.0 TiB");
  t.is(humanBytes(Number.MAX_SAFE_INTEGER), "8.0 PiB");
});

test("a size never rounds up to 1024 of its unit", (t) => {
  t.is(humanBytes(2 ** 20 - 1), "1.0 MiB");
  t.is(humanBytes(2 ** 30 - 1), "1.0 GiB");
});

test("exact bytes are followed by human ones where those say more", (t) => {
  t.is(exactBytes(800), "800");
  t.is(exactBytes(256_000), "256000 (250.0 KiB)");
});
