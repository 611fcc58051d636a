import { getEventListeners } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import test, { type ExecutionContext } from "ava";
import { TransientFailure } from "../src/http-error.ts";
import { exchange, type HttpAnswer } from "../src/http-exchange.ts";
import { type HttpSettings, resolveHttp } from "../src/http-options.ts";

async function serve(t: ExecutionContext, listener: RequestListener, options = {}): Promise<HttpSettings> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return resolveHttp(`http://127.0.0.1:${(server.address() as AddressInfo).port}/x?secret`, options);
}

const filled =
  (length: number) =>
  async ({ fill }: HttpAnswer): Promise<string> => {
    const into = new Uint8Array(length);
    await fill(into);
    return Buffer.from(into).toString();
  };

/** The error of ours that a transient failure holds. */
async function failure(t: ExecutionContext, work: Promise<unknown>): Promise<unknown> {
  const error = await t.throwsAsync(work, { instanceOf: TransientFailure });
  return error?.failure;
}

test("the body is filled in whatever pieces it comes, headers are sent, and what follows is left", async (t) => {
  const seen: unknown[] = [];
  const settings = await serve(
    t,
    async (request, response) => {
      seen.push(request.headers["x-a"], request.headers["x-b"]);
      response.write("012");
      await sleep(5);
      response.end("3456789");
    },
    { headers: { "x-a": "a" } },
  );
  const counts: number[] = [];
  const text = await exchange(settings, { "x-b": "b" }, [], async ({ fill }) => {
    const into = new Uint8Array(8);
    await fill(into, (count) => counts.push(count));
    return Buffer.from(into).toString();
  });
  t.is(text, "01234567");
  t.is(
    counts.reduce((sum, count) => sum + count),
    8,
  );
  t.deepEqual(seen, ["a", "b"]);
});

test("a body that ends early is ERR_SOURCE_TRUNCATED, no answer and no byte in time ERR_HTTP_CONNECTION", async (t) => {
  const short = await serve(t, (_, response) => void response.end("0123"));
  t.like(await failure(t, exchange(short, {}, [], filled(8))), {
    code: "ERR_SOURCE_TRUNCATED",
    message: "expected 8 bytes, found 4: the connection ended there",
  });
  const silent = await serve(t, () => undefined, { timeoutMs: 20 });
  t.like(await failure(t, exchange(silent, {}, [], filled(8))), {
    code: "ERR_HTTP_CONNECTION",
    message: "no byte came for 20 ms",
    path: silent.url.href.replace("?secret", ""),
  });
  const stalled = await serve(t, (_, response) => void response.write("0123"), { timeoutMs: 20 });
  t.like(await failure(t, exchange(stalled, {}, [], filled(8))), { code: "ERR_HTTP_CONNECTION" });
  const refused = await serve(t, (request) => void request.socket.destroy());
  t.like(await failure(t, exchange(refused, {}, [], filled(8))), { code: "ERR_HTTP_CONNECTION" });
});

test("any signal ends it with its reason untouched, before or during, and no listener stays", async (t) => {
  const settings = await serve(t, (_, response) => void response.write("0123"));
  for (const reason of [null, { why: "enough" }]) {
    for (const waitMs of [0, 10]) {
      const [first, second] = [new AbortController(), new AbortController()];
      if (waitMs === 0) second.abort(reason);
      const work = exchange(settings, {}, [first.signal, undefined, second.signal], filled(8));
      if (waitMs > 0) setTimeout(() => second.abort(reason), waitMs);
      t.is(await work.then(() => "it ended").catch((error: unknown) => error), reason);
      t.is(getEventListeners(first.signal, "abort").length, 0);
    }
  }
});

test("what the user of the answer throws is thrown, and the connection is given up", async (t) => {
  let isClosed = false;
  const settings = await serve(t, (_, response) => {
    response.on("close", () => {
      isClosed = true;
    });
    response.write("0123");
  });
  const error = new Error("not what was asked for");
  t.is(await t.throwsAsync(exchange(settings, {}, [], () => Promise.reject(error))), error);
  for (let i = 0; i < 100 && !isClosed; i++) await sleep(5);
  t.true(isClosed);
});
