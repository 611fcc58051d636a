import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { createGzip, gunzipSync } from "node:zlib";
import { decodeNpy } from "@npystream/codec";
import { createNpyWriteStream, streamSink, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { MemoryWritable } from "./memory-writable.ts";
import { python } from "./numpy-references.ts";
import { openFiles } from "./open-files.ts";
import { brokenSinkTest, sinkSuite } from "./sink-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-stream-sink-"));
test.after.always(() => rmSync(folder, { recursive: true }));
let files = 0;

sinkSuite(test, "a stream in memory", async ({ slow = false } = {}) => {
  const writable = new MemoryWritable(slow ? 1 : 0);
  return {
    sink: streamSink(writable),
    committed: () => (writable.writableFinished ? writable.bytes() : undefined),
    leftovers: () => (writable.destroyed ? [] : ["a stream that is open"]),
  };
});

sinkSuite(test, "a stream into a file", async () => {
  const path = join(folder, `suite-${files++}`);
  const writable = createWriteStream(path);
  return {
    sink: streamSink(writable),
    committed: () => (writable.writableFinished ? new Uint8Array(readFileSync(path)) : undefined),
    leftovers: async () => {
      if (!writable.closed) await new Promise<void>((closed) => writable.once("close", closed));
      return openFiles(path);
    },
  };
});

brokenSinkTest(test, "a stream", async () => {
  const writable = new PassThrough({ highWaterMark: 4096 }).resume();
  return {
    sink: streamSink(writable),
    committed: () => (writable.writableFinished ? new Uint8Array() : undefined),
    leftovers: () => (writable.destroyed ? [] : ["a stream that is open"]),
    breakSink: () => void writable.destroy(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  };
});

test("a stream that keeps what it is given has other bytes than the writer fills again", async (t) => {
  const through = new PassThrough({ highWaterMark: 64 << 20 });
  const out = createNpyWriteStream(streamSink(through), { rows: 100_000, highWaterMark: 8192 });
  for (let i = 0; i < 1000; i++) await out.push(new Int32Array(100).fill(i));
  await out.finish();
  const { data } = decodeNpy(new Uint8Array(await buffer(through)));
  t.true((data as Int32Array).every((value, i) => value === Math.floor(i / 100)));
});

test("a writer never waits in the stream with more than one write", async (t) => {
  const writable = new MemoryWritable(1);
  const out = createNpyWriteStream(streamSink(writable), { rows: 10_000, highWaterMark: 4096 });
  for (let i = 0; i < 10_000; i++) await out.push([i]);
  await out.finish();
  t.true(writable.mostWaiting <= 2048);
});

test("an array goes through a compressor and an HTTP request", async (t) => {
  let received: Buffer | undefined;
  const server = createServer(async (incoming, response) => {
    received = await buffer(incoming);
    response.end();
  }).listen(0);
  await once(server, "listening");
  const upload = request({ port: (server.address() as AddressInfo).port, method: "PUT" });
  const gzip = createGzip();
  gzip.pipe(upload);
  const answered = once(upload, "response");
  await writeNpy(
    streamSink(gzip),
    Float32Array.from({ length: 500_000 }, (_, i) => i),
  );
  const [response] = await answered;
  response.resume();
  server.close();
  const { data } = decodeNpy(new Uint8Array(gunzipSync(received ?? Buffer.alloc(0))));
  t.true((data as Float32Array).every((value, i) => value === i));
});

test("stdout takes arrays one after another and stays open, and NumPy reads them from the pipe", (t) => {
  const path = join(folder, "sequence.bin");
  const program = `
import { streamSink, writeNpy } from "@npystream/writer-stream";
await writeNpy(streamSink(process.stdout), Int8Array.of(1, 2));
await writeNpy(streamSink(process.stdout), Float64Array.of(0.5));
process.stdout.write("end");
`;
  const nodeArguments = ["--conditions=@npystream/source", "--import=tsx", "--input-type=module", "-e", program];
  const { stdout, status } = spawnSync(process.execPath, nodeArguments, { cwd: import.meta.dirname });
  t.is(status, 0);
  t.is(stdout.subarray(-3).toString(), "end");
  createWriteStream(path).end(stdout);
  const read =
    "import sys, io, numpy as np\nf = io.BytesIO(bytes.fromhex(sys.argv[1]))\nprint(np.load(f).tolist(), np.load(f).tolist(), f.read())";
  t.is(python(read, stdout.toString("hex")).trim(), "[1, 2] [0.5] b'end'");
});

test("with end: false the stream is left open, by a commit and by an abort, without a listener", async (t) => {
  const writable = new MemoryWritable();
  const listeners = (): number => writable.listenerCount("error") + writable.listenerCount("close");
  const before = listeners();
  await writeNpy(streamSink(writable, { end: false }), [1]);
  await streamSink(writable, { end: false }).abort();
  t.is(listeners(), before);
  t.false(writable.destroyed || writable.writableEnded);
});

test("an error of the stream is the cause, a stream that closes early ERR_WRITE_IO", async (t) => {
  const failure = new Error("no more");
  const failing = new Writable({ write: (_chunk, _encoding, callback) => callback(failure) });
  t.like(await t.throwsAsync(writeNpy(streamSink(failing), [1]), { code: "ERR_WRITE_IO" }), { cause: failure });

  const closing = new Writable({ write: () => void closing.destroy() });
  await t.throwsAsync(writeNpy(streamSink(closing), [1]), { code: "ERR_WRITE_IO", message: /closed/ });

  const closed = new PassThrough();
  closed.destroy();
  await t.throwsAsync(streamSink(closed).write(Uint8Array.of(1)), { code: "ERR_WRITE_IO", message: /closed/ });

  const endFails = new Writable({
    write: (_chunk, _encoding, callback) => callback(),
    final: (callback) => callback(failure),
  });
  t.like(await t.throwsAsync(writeNpy(streamSink(endFails), [1]), { code: "ERR_WRITE_IO" }), { cause: failure });
});

test("an error that comes while nobody writes is told at the next write", async (t) => {
  const writable = new PassThrough();
  const sink = streamSink(writable);
  await sink.write(Uint8Array.of(1));
  writable.destroy(new Error("gone"));
  await new Promise(setImmediate);
  await t.throwsAsync(sink.write(Uint8Array.of(2)), { code: "ERR_WRITE_IO", message: /gone/ });
  await t.throwsAsync(sink.commit(), { code: "ERR_WRITE_IO" });
});

test("a stream stuck in a write is let go by an abort", async (t) => {
  const stuck = new Writable({ write: () => undefined });
  const controller = new AbortController();
  const reason = new Error("enough");
  const writing = writeNpy(streamSink(stuck), new Float64Array(1 << 20), { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await t.throwsAsync(writing, { is: reason });

  const out = createNpyWriteStream(streamSink(new Writable({ write: () => undefined })), { rows: 1 << 20 });
  const pushed = out.push(new Float64Array(1 << 20));
  setImmediate(() => out.destroy(reason));
  await t.throwsAsync(pushed, { is: reason });
});

test("an option there is not is a TypeError", (t) => {
  t.throws(() => streamSink(new MemoryWritable(), { ends: true } as object), { instanceOf: TypeError });
  t.false(existsSync(join(folder, "none")));
});
