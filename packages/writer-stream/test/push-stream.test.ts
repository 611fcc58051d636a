import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createNpyWriteStream, type NpyWriteResult, writeNpy } from "@npystream/writer-stream";
import test from "ava";
import { type ChunkWriter, PendingChunk, PushStream } from "../src/push-stream.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-push-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** Writes down what is asked of it, and takes its time to open. */
class CallList implements ChunkWriter<string> {
  readonly location = { path: "calls" };
  readonly calls: string[] = [];
  failure: Error | undefined;

  take(chunk: unknown): PendingChunk | undefined {
    this.calls.push(`take ${chunk}`);
    return chunk === "large" ? new LargeChunk(this) : undefined;
  }

  async finish(): Promise<string> {
    await new Promise(setImmediate);
    this.calls.push("finish");
    return "result";
  }

  async commit(): Promise<void> {
    await new Promise(setImmediate);
    this.calls.push("commit");
  }

  async abort(reason: unknown): Promise<void> {
    this.calls.push(`abort ${reason instanceof Error ? reason.name : reason}`);
  }
}

class LargeChunk extends PendingChunk {
  readonly #list: CallList;

  constructor(list: CallList) {
    super();
    this.#list = list;
  }

  async write(): Promise<void> {
    await new Promise(setImmediate);
    if (this.#list.failure !== undefined) throw this.#list.failure;
    this.#list.calls.push("written");
  }
}

function streamInto(list: CallList): PushStream<string, string> {
  const open = async (): Promise<CallList> => {
    await new Promise(setImmediate);
    return list;
  };
  return new PushStream(open, undefined);
}

test("chunks come in their order, one that waits before all later ones, and finish commits once", async (t) => {
  const list = new CallList();
  const out = streamInto(list);
  out.write("a");
  const pushed = [out.push("large"), out.push("b")];
  await Promise.all(pushed);
  t.is(await out.finish(), "result");
  t.is(await out.finish(), "result");
  t.deepEqual(list.calls, ["take a", "take large", "written", "take b", "finish", "commit"]);
});

test("a write's callback takes the place of its encoding, and end takes a last chunk", async (t) => {
  const list = new CallList();
  const out = streamInto(list);
  await new Promise<void>((resolve) => out.write("a", () => resolve()));
  await new Promise<void>((resolve) => out.end("b", resolve));
  t.is(await out.finish(), "result");
  t.deepEqual(list.calls, ["take a", "take b", "finish", "commit"]);
});

test("what fails while nobody waits rejects every promise, after it was dropped", async (t) => {
  const list = new CallList();
  const failure = new Error("no");
  list.failure = failure;
  const out = streamInto(list);
  const outcomes = await Promise.allSettled([out.push("large"), out.push("b"), out.finish()]);
  for (const outcome of outcomes) t.like(outcome, { status: "rejected", reason: failure });
  t.deepEqual(list.calls, ["take large", "abort Error"]);
});

test("a finish that is returned out of await using is waited for", async (t) => {
  const list = new CallList();
  const write = async (): Promise<string> => {
    await using out = streamInto(list);
    await out.push("a");
    return out.finish();
  };
  t.is(await write(), "result");
  t.deepEqual(list.calls, ["take a", "finish", "commit"]);
  const path = join(folder, "returned.npy");
  const writeFile = async (): Promise<NpyWriteResult> => {
    await using out = createNpyWriteStream(path);
    await out.push([1, 2]);
    return out.finish();
  };
  t.deepEqual([...(await writeFile()).shape], [2]);
  t.true(existsSync(path));
});

test("await using without finish drops what was written", async (t) => {
  const list = new CallList();
  {
    await using out = streamInto(list);
    await out.push("a");
  }
  t.deepEqual(list.calls, ["take a", "abort AbortError"]);
});

test("a target that cannot be opened is thrown where nobody listens and no promise tells of it, however it is written to", async (t) => {
  const place = mkdtempSync(join(folder, "unheard-"));
  await writeNpy(join(place, "x.npy"), [1]);
  writeFileSync(join(place, "y-00.npy"), "");
  const appender = createNpyWriteStream(join(place, "x.npy"), { mode: "append" });
  await appender.push([2]);
  const script = join(import.meta.dirname, "writer-process.ts");
  const program = ["--conditions=@npystream/source", "--import=tsx", script, "unheard", place];
  const { stdout } = await promisify(execFile)(process.execPath, program);
  const codes = {
    exists: "ERR_WRITE_EXISTS",
    locked: "ERR_WRITE_LOCKED",
    missing: "ERR_WRITE_IO",
    folder: "ERR_WRITE_IO",
    shards: "ERR_WRITE_EXISTS",
  };
  const ways = ["write", "end", "pipe"].flatMap((way) => [`${way} at once`, `${way} late`]);
  const expected = Object.entries(codes).flatMap(([target, code]) => ways.map((way) => `${target}, ${way}: ${code}`));
  t.deepEqual(stdout.trim().split("\n"), expected);
  await appender.finish();
});

test("one that is listened to, pushed to or at the end of a pipeline is heard, and not thrown", async (t) => {
  const path = join(folder, "there.npy");
  writeFileSync(path, "");
  const heard = createNpyWriteStream(path);
  const error = new Promise((resolve) => heard.once("error", resolve));
  heard.end([1]);
  t.like(await error, { code: "ERR_WRITE_EXISTS" });
  await t.throwsAsync(pipeline([[1]], createNpyWriteStream(path)), { code: "ERR_WRITE_EXISTS" });
  const late = createNpyWriteStream(path);
  await new Promise((resolve) => late.once("close", resolve));
  await t.throwsAsync(late.push([1]), { code: "ERR_WRITE_EXISTS" });
  await t.throwsAsync(late.finish(), { code: "ERR_WRITE_EXISTS" });
});
