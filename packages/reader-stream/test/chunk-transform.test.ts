import { getEventListeners, once } from "node:events";
import type { RowChunk } from "@npystream/codec";
import test from "ava";
import { ChunkTransform, ONE_CHUNK } from "../src/chunk-transform.ts";
import { chunkInputs, settle } from "./transform-suite.ts";

/** Makes `copies` of every chunk. */
class Copies extends ChunkTransform {
  readonly #copies: number;
  readonly #ready: RowChunk[] = [];
  #taken: (() => void) | undefined;
  made = 0;

  constructor(copies: number, signal?: AbortSignal) {
    super(ONE_CHUNK, signal);
    this.#copies = copies;
  }

  override _write(chunk: RowChunk, _encoding: BufferEncoding, callback: () => void): void {
    this.#ready.push(...Array.from({ length: this.#copies }, () => chunk));
    this.#taken = callback;
    this.give();
  }

  protected override nextReady(): RowChunk | undefined {
    const chunk = this.#ready.shift();
    if (chunk?.rowStart === 30) throw null;
    if (chunk !== undefined) this.made++;
    return chunk;
  }

  protected override onGiven(): void {
    if (this.#ready.length > 0) return;
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}

const [first, second, , fourth] = chunkInputs;

test("chunks are made when they are wanted, however many come of one input", async (t) => {
  const transform = new Copies(100);
  transform.write(first);
  await settle();
  t.true(transform.made <= 2, `${transform.made} chunks`);
  for (let i = 0; i < 100; i++) {
    if (transform.readableLength === 0) await once(transform, "readable");
    t.is(transform.read(), first);
    t.true(transform.made <= i + 3);
  }
  transform.end(second);
  const rest = await transform.toArray();
  t.is(rest.length, 100);
  t.true(rest.every((chunk) => chunk === second));
});

test("what is thrown destroys it, also null", async (t) => {
  const transform = new Copies(1);
  transform.write(fourth);
  const [error] = (await once(transform.resume(), "error")) as [Error];
  t.is(error.message, "the transform failed");
  t.is(error.cause, null);
});

test("a signal destroys it and is listened to no longer than it lives", async (t) => {
  const controller = new AbortController();
  const reason = { why: "enough" };
  const transform = new Copies(1, controller.signal);
  controller.abort(reason);
  t.is((await once(transform, "close").catch((error: unknown) => error)) as unknown, reason);
  const { signal } = new AbortController();
  new Copies(1, signal).destroy();
  await settle(2);
  t.is(getEventListeners(signal, "abort").length, 0);
  t.true(new Copies(1, AbortSignal.abort(reason)).on("error", () => undefined).destroyed);
});
