import test from "ava";
import { bytesSource } from "../src/index.ts";
import { sourceSuite } from "./source-suite.ts";

sourceSuite(test, "bytes", async (_, __, content) => ({ source: bytesSource(content) }));

sourceSuite(test, "bytes in the middle of a buffer", async (_, __, content) => {
  const around = new Uint8Array(content.length + 11);
  around.set(content, 7);
  return { source: bytesSource(around.subarray(7, 7 + content.length)) };
});

test("bytes are shown where they are, without a copy", (t) => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const view = bytesSource(bytes).bytes?.(1, 2);
  t.is(view?.buffer, bytes.buffer);
  t.deepEqual([...(view ?? [])], [2, 3]);
});
