import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import test from "ava";
import { checkedSource } from "../src/checked-source.ts";
import { bytesSource, fileSource, openNpz } from "../src/index.ts";
import { type ForkableSource, inflatedSource } from "../src/inflated-source.ts";
import { unpackedSource } from "../src/unpacked-source.ts";
import { numpy, openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";
import { bytesRead, countedSource } from "./counted-source.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("unpacked");

/** Temporary files of this process, which have no name any more. */
function spooledFiles(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return (
        readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(tmpdir(), "npystream-")) &&
        readlinkSync(`/proc/self/fd/${fd}`).endsWith("spool (deleted)")
      );
    } catch {
      return false;
    }
  }).length;
}

for (const [where, residentBytes] of [
  ["in memory", undefined],
  ["in a temporary file", 0],
] as const) {
  sourceSuite(test.serial as typeof test, `a content unpacked ${where}`, async (_, name, content) => {
    const path = join(folder, `${name}-${residentBytes}`);
    const deflated = deflateRawSync(content, { level: 1 });
    if (!existsSync(path)) writeFileSync(path, deflated);
    const file = await fileSource(path);
    const inflated = inflatedSource(file, 0, deflated.length, content.length);
    const below = checkedSource(inflated, crc32(content)) as ForkableSource;
    const source = unpackedSource(below, residentBytes === undefined ? {} : { residentBytes });
    // A read that goes back.
    if (content.length > 0) for (const position of [1, 0]) await source.read(new Uint8Array(1), position);
    const close = async (): Promise<void> => {
      await source.close();
      await file.close();
    };
    return {
      source: Object.assign(Object.create(source) as typeof source, {
        read: source.read.bind(source),
        readWhole: source.readWhole.bind(source),
        close,
      }),
      held: () => openDescriptors(path) + spooledFiles(),
    };
  });
}

/** 1 MB that deflates to nearly as much, and a source of it that counts what it inflates. */
const content = new Uint8Array(randomBytes(1 << 20));
const deflated = deflateRawSync(content, { level: 1 });

function opened(residentBytes: number) {
  const counted = countedSource(deflated);
  const inflated = inflatedSource(counted, 0, deflated.length, content.length);
  const source = unpackedSource(checkedSource(inflated, crc32(content)) as ForkableSource, { residentBytes });
  return { counted, source };
}

test.serial("reads that go forward unpack nothing; the first one that goes back does, once", async (t) => {
  for (const residentBytes of [0, 1 << 20]) {
    const { counted, source } = opened(residentBytes);
    const into = new Uint8Array(10_000);
    for (let at = 0; at < 1e6; at += 100_000) await source.read(into, at);
    t.true(bytesRead(counted) <= deflated.length);
    t.is(spooledFiles(), 0);
    await Promise.all(
      [500_000, 7, 900_000].map(async (at) => {
        const part = new Uint8Array(1000);
        await source.read(part, at);
        t.true(Buffer.from(part).equals(content.subarray(at, at + 1000)));
      }),
    );
    t.is(spooledFiles(), residentBytes === 0 ? 1 : 0);
    t.true(bytesRead(counted) <= 2 * deflated.length, `${bytesRead(counted)} of ${deflated.length}`);
    await source.close();
    t.is(spooledFiles(), 0);
  }
});

test.serial("an abort of the last read that waits stops unpacking and leaves nothing", async (t) => {
  const { counted, source } = opened(0);
  await source.read(new Uint8Array(10), 100);
  const [first, second] = [new AbortController(), new AbortController()];
  const reads = [first, second].map(({ signal }) => source.read(new Uint8Array(10), 0, { signal }));
  const failures = reads.map((read) => read.catch((error: unknown) => error));
  first.abort(null);
  t.is(await failures[0], null);
  second.abort("enough");
  t.is(await failures[1], "enough");
  const into = new Uint8Array(10);
  await source.read(into, 0);
  t.true(Buffer.from(into).equals(content.subarray(0, 10)));
  t.true(bytesRead(counted) < 4 * deflated.length);
  await source.close();
  t.is(spooledFiles(), 0);
});

test.serial(
  "what fails once is tried again, and closing while it unpacks fails the read and leaves nothing",
  async (t) => {
    const error = new Error("the network is down");
    let isDown = false;
    const below = bytesSource(deflated);
    const flaky = {
      ...below,
      read: async (into: Uint8Array, position: number) => {
        if (isDown && position > 0) throw error;
        await below.read(into, position);
      },
    };
    const inflated = inflatedSource(flaky, 0, deflated.length, content.length);
    const source = unpackedSource(inflated, { residentBytes: 0 });
    await source.read(new Uint8Array(10), 100);
    isDown = true;
    t.is(await t.throwsAsync(source.read(new Uint8Array(10), 0)), error);
    isDown = false;
    await source.read(new Uint8Array(10), 0);
    await source.close();

    const other = opened(0).source;
    await other.read(new Uint8Array(10), 100);
    const reading = other.read(new Uint8Array(10), 0);
    const failing = t.throwsAsync(reading, { instanceOf: TypeError, message: /has been closed/ });
    await other.close();
    await failing;
    t.is(spooledFiles(), 0);
  },
);

test.serial("a wrong checksum is ERR_NPZ_CRC when it is unpacked", async (t) => {
  const inflated = inflatedSource(bytesSource(deflated), 0, deflated.length, content.length);
  for (const residentBytes of [0, 1 << 20]) {
    const source = unpackedSource(checkedSource(inflated, 1) as ForkableSource, { residentBytes });
    await source.read(new Uint8Array(10), 100);
    await t.throwsAsync(source.read(new Uint8Array(10), 0), { code: "ERR_NPZ_CRC" });
  }
  t.is(spooledFiles(), 0);
});

test.serial(
  "a Fortran array that NumPy deflated is streamed in at most two inflations, whatever its size",
  async (t) => {
    numpy(
      `
x = (np.arange(12_000_000, dtype='f4') % 4093).reshape(-1, 8)
np.savez_compressed(sys.argv[1] + '/f.npz', x=np.asfortranarray(x), small=np.asfortranarray(x[:1000]))
np.save(sys.argv[1] + '/rows.npy', x[[0, 7, 1_234_567, 1_499_999]])
`,
      folder,
    );
    const bytes = new Uint8Array(await readFile(join(folder, "f.npz")));
    const counted = countedSource(bytes);
    const archive = await openNpz(counted);
    const handle = await archive.open("x");
    counted.reads.length = 0;
    const member = archive.members[0]?.compressedSize ?? 0;
    let row = 0;
    let isRight = true;
    for await (const chunk of handle.stream()) {
      isRight &&= chunk.rowStart === row && chunk.get(0, 1) === (row * 8 + 1) % 4093;
      row += chunk.length;
    }
    t.true(isRight);
    t.is(row, 1_500_000);
    t.true(bytesRead(counted) <= 2 * member, `${bytesRead(counted) / member} times the member`);
    const before = bytesRead(counted);
    const gathered = await handle.gather([0, 7, 1_234_567, 1_499_999]);
    t.deepEqual(plain(gathered), numpy("print(json.dumps(np.load(sys.argv[1] + '/rows.npy').tolist()))", folder));
    t.is(bytesRead(counted), before);
    t.is(spooledFiles(), 1);
    await archive.close();
    t.is(spooledFiles(), 0);
    await t.throwsAsync(handle.rows(0, 1), { instanceOf: TypeError, message: /the archive has been closed/ });
  },
);
