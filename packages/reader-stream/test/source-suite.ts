import { randomBytes } from "node:crypto";
import type { ByteSource } from "@npystream/codec";
import type { ExecutionContext, TestFn } from "ava";

/** A source under test. */
export interface SourceUnderTest {
  readonly source: ByteSource;
  /** What it still holds once it is closed: descriptors, mappings, connections that are not reused. */
  readonly held?: () => number | Promise<number>;
}

/** Opens a source of these bytes; of the same bytes and name it is the same file. */
export type OpenUnderTest = (t: ExecutionContext, name: string, content: Uint8Array) => Promise<SourceUnderTest>;

/** Past the first bytes that a remote source keeps, and no multiple of anything. */
const CONTENT = new Uint8Array(randomBytes(70_001));

/** What every source does. */
export function sourceSuite(test: TestFn, what: string, open: OpenUnderTest): void {
  test(`${what}: a read gives the bytes of its range at every boundary, and touches no others`, async (t) => {
    const { source } = await open(t, "ranges", CONTENT);
    t.is(source.byteLength, CONTENT.length);
    const edges = [0, 1, 4095, 4096, 32_767, 32_768, 32_769, 65_536, CONTENT.length - 1, CONTENT.length];
    for (const start of edges) {
      for (const stop of edges.filter((edge) => edge >= start)) {
        // In the middle of a larger buffer, at an odd offset.
        const around = new Uint8Array(stop - start + 10).fill(0xaa);
        await source.read(around.subarray(3, 3 + stop - start), start);
        const expected = new Uint8Array(around.length).fill(0xaa);
        expected.set(CONTENT.subarray(start, stop), 3);
        t.true(Buffer.from(around).equals(expected), `${start}-${stop}`);
      }
    }
    await source.close();
  });

  test(`${what}: a read past the end is ERR_SOURCE_TRUNCATED and leaves the buffer as it was`, async (t) => {
    const { source } = await open(t, "end", CONTENT);
    const { length } = CONTENT;
    for (const [position, count] of [
      [length, 1],
      [length - 1, 2],
      [0, length + 1],
      [length + 1, 0],
      [2 ** 40, 8],
    ]) {
      const into = new Uint8Array(count ?? 0).fill(0xaa);
      const error = await t.throwsAsync(source.read(into, position ?? 0), { code: "ERR_SOURCE_TRUNCATED" });
      t.like(error, { offset: Math.min(position ?? 0, length) });
      t.true(into.every((byte) => byte === 0xaa));
      if (source.readSync) t.throws(() => source.readSync?.(into, position ?? 0), { code: "ERR_SOURCE_TRUNCATED" });
      if (source.bytes) t.throws(() => source.bytes?.(position ?? 0, count ?? 0), { code: "ERR_SOURCE_TRUNCATED" });
    }
    for (const position of [-1, 0.5, Number.NaN, 2 ** 60]) {
      await t.throwsAsync(source.read(new Uint8Array(1), position), { instanceOf: RangeError });
    }
    await source.close();
  });

  test(`${what}: no bytes are read of an empty source, and any from it are ERR_SOURCE_TRUNCATED`, async (t) => {
    const { source } = await open(t, "empty", new Uint8Array(0));
    t.is(source.byteLength, 0);
    await source.read(new Uint8Array(0), 0);
    await t.throwsAsync(source.read(new Uint8Array(1), 0), { code: "ERR_SOURCE_TRUNCATED" });
    await source.close();
  });

  test(`${what}: many reads at once do not disturb each other`, async (t) => {
    const { source } = await open(t, "many", CONTENT);
    const starts = Array.from({ length: 60 }, (_, i) => (i * 7919) % 60_000);
    const pieces = await Promise.all(
      starts.map(async (start) => {
        const into = new Uint8Array(start % 9000);
        await source.read(into, start);
        return Buffer.from(into).equals(CONTENT.subarray(start, start + into.length));
      }),
    );
    t.true(pieces.every((isSame) => isSame));
    await source.close();
  });

  test(`${what}: a large read is complete`, async (t) => {
    const large = new Uint8Array(randomBytes((17 << 20) + 5));
    const { source } = await open(t, "large", large);
    const into = new Uint8Array(large.length - 3);
    await source.read(into, 2);
    t.true(Buffer.from(into).equals(large.subarray(2, large.length - 1)));
    await source.close();
  });

  test(`${what}: an aborted read rejects with the signal's reason, and the next one works`, async (t) => {
    const { source } = await open(t, "abort", CONTENT);
    const reason = { not: "an error" };
    const into = new Uint8Array(CONTENT.length);
    const isReason = (error: unknown): void => {
      t.is(error, reason);
    };
    await source.read(into, 0, { signal: AbortSignal.abort(reason) }).then(() => t.fail(), isReason);
    t.true(into.every((byte) => byte === 0));
    const controller = new AbortController();
    const reading = source.read(into, 0, { signal: controller.signal });
    controller.abort(reason);
    // A source in memory is done before anybody can abort it.
    await reading.then(() => {
      t.truthy(source.bytes);
    }, isReason);
    await source.read(into, 0, { signal: new AbortController().signal });
    t.true(Buffer.from(into).equals(CONTENT));
    await source.close();
  });

  test(`${what}: closing twice is harmless, a read of a closed source is a TypeError, nothing is held`, async (t) => {
    const { source, held } = await open(t, "close", CONTENT);
    await source.read(new Uint8Array(100), 40_000);
    await source.close();
    await source.close();
    const into = new Uint8Array(1);
    await t.throwsAsync(source.read(into, 0), { instanceOf: TypeError, message: /closed/ });
    if (source.readSync) t.throws(() => source.readSync?.(into, 0), { instanceOf: TypeError, message: /closed/ });
    if (source.bytes) t.throws(() => source.bytes?.(0, 1), { instanceOf: TypeError, message: /closed/ });
    t.is((await held?.()) ?? 0, 0);
  });

  test(`${what}: the version is one text for the same state`, async (t) => {
    const first = await open(t, "version", CONTENT);
    const second = await open(t, "version", CONTENT);
    t.is(first.source.version, second.source.version);
    t.true(first.source.version === undefined || first.source.version.length > 0);
    await first.source.close();
    await second.source.close();
  });

  test(`${what}: readSync and bytes, where there are any, agree with read`, async (t) => {
    const { source } = await open(t, "sync", CONTENT);
    for (const [start, stop] of [
      [0, 0],
      [0, 1],
      [5, 4101],
      [32_767, 70_001],
      [70_001, 70_001],
    ] as const) {
      const expected = CONTENT.subarray(start, stop);
      const around = new Uint8Array(stop - start + 4).fill(0xaa);
      source.readSync?.(around.subarray(1, 1 + stop - start), start);
      if (source.readSync) {
        t.true(Buffer.from(around.subarray(1, -3)).equals(expected));
        t.deepEqual([around[0], ...around.slice(-3)], [0xaa, 0xaa, 0xaa, 0xaa]);
      }
      const view = source.bytes?.(start, stop - start);
      if (view) t.true(Buffer.from(view).equals(expected));
      const into = new Uint8Array(stop - start);
      await source.read(into, start);
      t.true(Buffer.from(into).equals(expected));
    }
    await source.close();
  });
}
