import { decodeLatin1 } from "@npystream/codec";
import test from "ava";
import { encodeLatin1 } from "../src/latin1.ts";

test("every byte is the code point of its value, in text of any length", (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  t.is(decodeLatin1(all), Buffer.from(all).toString("latin1"));
  const long = Uint8Array.from({ length: 100_003 }, (_, i) => i % 251);
  t.is(decodeLatin1(long), Buffer.from(long).toString("latin1"));
  t.deepEqual(encodeLatin1(decodeLatin1(long)), long);
});

test("text with a character past U+00FF is not latin-1", (t) => {
  t.deepEqual(encodeLatin1("ÿ"), Uint8Array.of(255));
  t.is(encodeLatin1("Ā"), undefined);
  t.is(encodeLatin1("😀"), undefined);
});
