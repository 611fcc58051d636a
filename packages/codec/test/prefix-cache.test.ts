import test from "ava";
import { PrefixCache } from "../src/prefix-cache.ts";

const limits = {};
const bytesOf = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

test("a prefix is found by its bytes and its context, however much follows", (t) => {
  const cache = new PrefixCache<string>();
  cache.add(bytesOf(1, 2, 3, 99), 3, limits, "a");
  t.is(cache.find(bytesOf(1, 2, 3), limits), "a");
  t.is(cache.find(bytesOf(1, 2, 3, 4, 5), limits), "a");
  t.is(cache.find(bytesOf(1, 2), limits), undefined);
  t.is(cache.find(bytesOf(1, 9, 3), limits), undefined);
  t.is(cache.find(bytesOf(1, 2, 3), {}), undefined);
});

test("the last four are kept, and bytes that change later do not change what is found", (t) => {
  const cache = new PrefixCache<number>();
  const bytes = bytesOf(0);
  for (let i = 0; i < 6; i++) {
    bytes[0] = i;
    cache.add(bytes, 1, limits, i);
  }
  t.deepEqual(
    [0, 1, 2, 3, 4, 5].map((byte) => cache.find(bytesOf(byte), limits)),
    [undefined, undefined, 2, 3, 4, 5],
  );
});

test("a prefix of more than 4 KiB is not kept", (t) => {
  const cache = new PrefixCache<number>();
  cache.add(new Uint8Array(4097), 4097, limits, 1);
  t.is(cache.find(new Uint8Array(5000), limits), undefined);
  cache.add(new Uint8Array(4096), 4096, limits, 2);
  t.is(cache.find(new Uint8Array(5000), limits), 2);
});
