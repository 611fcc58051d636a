import { type ByteSource, type ReadSteps, readFromSource, readInMemory } from "@npystream/codec";
import test from "ava";

const bytes = Uint8Array.of(10, 11, 12, 13, 14);

/** Reads a position, and at that position a byte. */
function* pointed(): ReadSteps<number> {
  const [position = 0] = yield { position: 0, length: 1 };
  const [found = -1] = yield { position: position - 8, length: 1 };
  return found;
}

test("a reader in memory gets views of what it asks for", (t) => {
  t.is(readInMemory(pointed(), bytes), 12);
  const seen: Uint8Array[] = [];
  readInMemory(
    (function* (): ReadSteps<void> {
      seen.push(yield { position: 1, length: 3 });
    })(),
    bytes,
  );
  t.deepEqual(seen, [bytes.subarray(1, 4)]);
  t.is(seen[0]?.buffer, bytes.buffer);
});

test("a reader of a source reads what it asks for and no more, with the caller's signal", async (t) => {
  const reads: [number, number, AbortSignal | undefined][] = [];
  const source: ByteSource = {
    byteLength: bytes.length,
    read: async (into, position, options) => {
      reads.push([position, into.length, options?.signal]);
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
  const { signal } = new AbortController();
  t.is(await readFromSource(pointed(), source, { signal }), 12);
  t.is(await readFromSource(pointed(), source), 12);
  t.deepEqual(reads, [
    [0, 1, signal],
    [2, 1, signal],
    [0, 1, undefined],
    [2, 1, undefined],
  ]);
});

test("what reading fails with comes out", async (t) => {
  const reason = new Error("no such byte");
  const source: ByteSource = { byteLength: 0, read: () => Promise.reject(reason), close: async () => undefined };
  t.is(await t.throwsAsync(readFromSource(pointed(), source)), reason);
});
