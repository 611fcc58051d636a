import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { type FileSource, openNpz, type SpoolInput, spool } from "../src/index.ts";
import { openDescriptors, plain, testFolder } from "./arrays-by-numpy.ts";
import { sourceSuite } from "./source-suite.ts";

const folder = testFolder("spool");
let folders = 0;
const newFolder = (): string => {
  const directory = join(folder, `${folders++}`);
  mkdirSync(directory);
  return directory;
};
const isEmpty = (t: ExecutionContext, directory: string): void => {
  t.deepEqual([readdirSync(directory), openDescriptors(directory)], [[], 0]);
};
const pieces = (content: Uint8Array, length: number): Buffer[] =>
  Array.from({ length: Math.ceil(content.length / length) }, (_, i) =>
    Buffer.from(content.subarray(i * length, (i + 1) * length)),
  );

// Each spool is a file of its own, so the same one stands for the same file.
let versioned: Promise<FileSource> | undefined;
sourceSuite(test, "a spooled stream", async (_, name, content) => {
  const directory = newFolder();
  const open = (): Promise<FileSource> => spool(Readable.from(pieces(content, 10_000)), { directory });
  if (name !== "version") return { source: await open(), held: () => openDescriptors(directory) };
  versioned ??= open();
  return { source: await versioned };
});

test("an .npz is read from the output of another program", async (t) => {
  const program =
    "import sys, io, numpy as np; b = io.BytesIO(); np.savez(b, a=np.arange(5)); sys.stdout.buffer.write(b.getvalue())";
  const { stdout } = spawn("python3", ["-c", program], { stdio: ["ignore", "pipe", "inherit"] });
  await using archive = await openNpz(await spool(stdout));
  const a = await archive.open("a");
  t.deepEqual(plain(await a.read()), [0, 1, 2, 3, 4]);
});

test("the file has no name while it is open, and closing it leaves nothing", async (t) => {
  const directory = newFolder();
  const source = await spool(Readable.from([Buffer.from("abc")]), { directory });
  t.deepEqual(readdirSync(directory), []);
  t.is(openDescriptors(directory), 1);
  t.is(source.byteLength, 3);
  await source.close();
  isEmpty(t, directory);
});

test("web streams, bodies of responses and iterables are taken", async (t) => {
  const server = createServer((_, response) => response.end(Buffer.alloc(100_000, 7)));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.teardown(() => server.close());
  const { body } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const inputs: SpoolInput[] = [
    new Blob([Buffer.alloc(100_000, 7)]).stream(),
    body ?? [],
    (async function* () {
      for (let i = 0; i < 10; i++) yield Buffer.alloc(10_000, 7);
    })(),
  ] as SpoolInput[];
  for (const input of inputs) {
    const source = await spool(input, { directory: newFolder() });
    const into = Buffer.alloc(100_000);
    await source.read(into, 0);
    t.true(into.equals(Buffer.alloc(100_000, 7)));
    await source.close();
  }
});

test("more than maxBytes is ERR_LIMIT_SPOOL, ends the input and leaves nothing", async (t) => {
  const directory = newFolder();
  const input = Readable.from(pieces(Buffer.alloc(100_000), 1000));
  await t.throwsAsync(spool(input, { directory, maxBytes: 5999 }), { code: "ERR_LIMIT_SPOOL", message: /5999/ });
  t.true(input.destroyed);
  isEmpty(t, directory);
  const exact = await spool(Readable.from(pieces(Buffer.alloc(6000), 1000)), { directory, maxBytes: 6000 });
  await exact.close();
});

test("a disk that runs full is the system's error, ends the input and leaves nothing", async (t) => {
  const directory = newFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "ignore" });
  } catch {
    // No right to mount: a folder that cannot be written to stands for the disk.
    await t.throwsAsync(spool(Readable.from([Buffer.alloc(1)]), { directory: "/proc" }));
    return;
  }
  try {
    const input = Readable.from(pieces(Buffer.alloc(4 << 20), 64 << 10));
    await t.throwsAsync(spool(input, { directory }), { code: "ENOSPC" });
    t.true(input.destroyed);
    isEmpty(t, directory);
  } finally {
    execFileSync("umount", ["--lazy", directory]);
  }
});

test("an input that fails leaves nothing, and its error is what it is", async (t) => {
  const directory = newFolder();
  const failure = new Error("cut off");
  const input = new Readable({
    read() {
      this.push("abc");
      this.destroy(failure);
    },
  });
  await t.throwsAsync(spool(input, { directory }), { is: failure });
  isEmpty(t, directory);
});

const waiting: Record<string, () => SpoolInput> = {
  "a stream": () => new Readable({ read: () => undefined }),
  "a web stream": () => new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) }) as SpoolInput,
  "an iterable": () =>
    (async function* () {
      yield Buffer.from("abc");
      await new Promise(() => undefined);
    })(),
};

for (const [what, create] of Object.entries(waiting)) {
  test(`an abort while ${what} is waited for rejects with the reason at once, and leaves nothing`, async (t) => {
    const directory = newFolder();
    const controller = new AbortController();
    const reason = { not: "an error" };
    const outcome = spool(create(), { directory, signal: controller.signal }).then(
      () => t.fail(),
      (error) => t.is(error, reason),
    );
    await sleep(20);
    controller.abort(reason);
    await outcome;
    isEmpty(t, directory);
  });
}

test("an abort before the start opens no file and ends the input", async (t) => {
  const directory = newFolder();
  const input = Readable.from([Buffer.from("abc")]);
  const reason = new Error("enough");
  await t.throwsAsync(spool(input, { directory, signal: AbortSignal.abort(reason) }), { is: reason });
  t.true(input.destroyed);
  isEmpty(t, directory);
});

test("text, objects and wrong options are refused", async (t) => {
  const directory = newFolder();
  await t.throwsAsync(spool(Readable.from(["text"]), { directory }), { instanceOf: TypeError, message: /bytes/ });
  await t.throwsAsync(spool("text" as unknown as SpoolInput), { instanceOf: TypeError });
  await t.throwsAsync(spool(Readable.from([]), { folder: directory } as object), { message: /no option folder/ });
  await t.throwsAsync(spool(Readable.from([]), { maxBytes: Number.NaN }), { instanceOf: RangeError });
  await t.throwsAsync(spool(Readable.from([]), { directory: join(directory, "none") }), { code: "ENOENT" });
  isEmpty(t, directory);
});
