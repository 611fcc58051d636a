import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import test from "ava";
import { parseRetryAfter } from "../src/http-retry.ts";
import { httpSource } from "../src/index.ts";
import { answer, type Intercept, RangeServer } from "./range-server.ts";

const content = new Uint8Array(randomBytes(200_000));
const fast = { retryDelayMs: 1 };

/** Cuts the answer to a request off. */
const cuts: Record<string, Intercept> = {
  "before the answer": (request) => {
    request.socket.destroy();
    return true;
  },
  "within the status line": (request) => {
    request.socket.end("HTTP/1.1 206 Par");
    return true;
  },
  "within the headers": (request) => {
    request.socket.end("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 50");
    return true;
  },
  "after the headers": (request) => {
    const range = (request.headers.range ?? "").slice(6);
    const head = `content-range: bytes ${range}/200000\r\ncontent-length: 20000\r\netag: "a"`;
    request.socket.end(`HTTP/1.1 206 Partial Content\r\n${head}\r\n\r\n`);
    return true;
  },
};

for (const [where, cut] of Object.entries(cuts)) {
  test(`a connection cut ${where} is tried again`, async (t) => {
    const server = await RangeServer.start(t, { "/x": { bytes: content, etag: '"a"' } });
    const intercept: Intercept = (...args) => server.requests.length % 2 === 1 && cut(...args);
    server.intercept = intercept;
    const source = await httpSource(server.url("/x"), { ...fast, prefixBytes: 20_000 });
    const into = new Uint8Array(20_000);
    await source.read(into, 50_000);
    t.true(Buffer.from(into).equals(content.subarray(50_000, 70_000)));
    t.deepEqual(server.ranges, ["0-19999", "0-19999", "50000-69999", "50000-69999"]);
  });
}

/** Sends no more than `count` bytes of what is asked for, then ends the connection. */
const stopAfter =
  (count: number): Intercept =>
  (request, response) => {
    const [start, last] = (request.headers.range ?? "").slice(6).split("-").map(Number);
    if (start === undefined || last === undefined || last - start < count) return false;
    response.writeHead(206, {
      "content-range": `bytes ${start}-${last}/200000`,
      "content-length": last - start + 1,
      etag: '"a"',
    });
    response.write(content.subarray(start, start + count), () => setTimeout(() => request.socket.destroy(), 20));
    return true;
  };

test("an answer that is cut is continued where it ended", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content, etag: '"a"' } });
  const source = await httpSource(server.url("/x"), fast);
  server.intercept = stopAfter(30_000);
  const into = new Uint8Array(80_000);
  await source.read(into, 50_000);
  t.true(Buffer.from(into).equals(content.subarray(50_000, 130_000)));
  t.deepEqual(server.ranges.slice(1), ["50000-129999", "80000-129999", "110000-129999"]);
});

test("an answer that is cut again and again is ERR_SOURCE_TRUNCATED", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content, etag: '"a"' } });
  const source = await httpSource(server.url("/x"), { ...fast, retries: 2 });
  server.intercept = stopAfter(100);
  const error = await t.throwsAsync(source.read(new Uint8Array(80_000), 50_000), { code: "ERR_SOURCE_TRUNCATED" });
  t.like(error, { path: server.url("/x"), cause: { name: "TypeError" } });
  t.deepEqual(server.ranges.slice(1), ["50000-129999", "50100-129999", "50200-129999"]);
});

test("an answer that ends short without an error is ERR_SOURCE_TRUNCATED too", async (t) => {
  const server = await RangeServer.start(t);
  server.intercept = (_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-9/10" });
    response.end("four");
    return true;
  };
  await t.throwsAsync(httpSource(server.url("/x"), { ...fast, retries: 1 }), {
    code: "ERR_SOURCE_TRUNCATED",
    message: "expected 10 bytes, found 4: the connection ended there",
  });
  t.is(server.requests.length, 2);
});

test("408, 429 and 5xx are tried again, after as long as Retry-After says", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  const statuses = [503, 429, 408, 500];
  server.intercept = (_, response, seen) => {
    const status = statuses[server.requests.length - 1];
    if (status === undefined) return false;
    answer(seen, response, status, status === 503 ? { "retry-after": "1" } : {}, Buffer.from("busy"));
    return true;
  };
  const source = await httpSource(server.url("/x"), { ...fast, retries: 4 });
  t.is(source.byteLength, 200_000);
  const [first, second] = server.requests;
  // A timer may go off a millisecond early by another clock.
  t.true((second?.at ?? 0) - (first?.at ?? 0) >= 990);
  t.is(server.requests.length, 5);
});

test("a server that stays busy is ERR_HTTP_STATUS with its status after the last attempt", async (t) => {
  const server = await RangeServer.start(t);
  server.intercept = (_, response, seen) => {
    answer(seen, response, 502, { "retry-after": "0" });
    return true;
  };
  const error = await t.throwsAsync(httpSource(server.url("/x")), { code: "ERR_HTTP_STATUS" });
  t.like(error, { status: 502 });
  t.is(server.requests.length, 4);
});

test("a port where nobody listens is ERR_HTTP_CONNECTION", async (t) => {
  const server = await RangeServer.start(t);
  const url = server.url("/x?token=secret");
  await server.stop();
  const error = await t.throwsAsync(httpSource(url, fast), { code: "ERR_HTTP_CONNECTION", message: /ECONNREFUSED/ });
  t.like(error, { cause: { cause: { code: "ECONNREFUSED" } } });
  t.notRegex(error.message + error.stack, /secret/);
});

test("a fetch that fails by itself is ERR_HTTP_CONNECTION with its error as the cause", async (t) => {
  const cause = new Error("no token");
  let calls = 0;
  const failing = async (): Promise<never> => {
    calls++;
    throw cause;
  };
  const error = await t.throwsAsync(httpSource("http://host/x", { ...fast, fetch: failing }), {
    code: "ERR_HTTP_CONNECTION",
    message: /no token/,
  });
  t.is(error.cause, cause);
  t.is(calls, 4);
});

test("a certificate that is refused is not tried again", async (t) => {
  let calls = 0;
  const refusing = async (): Promise<never> => {
    calls++;
    const cause = Object.assign(new Error("self-signed certificate"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    throw new TypeError("fetch failed", { cause });
  };
  await t.throwsAsync(httpSource("https://host/x", { fetch: refusing }), {
    code: "ERR_HTTP_CONNECTION",
    message: /self-signed/,
  });
  t.is(calls, 1);
});

test("a server from which nothing comes for timeoutMs is ERR_HTTP_CONNECTION", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  const options = { ...fast, retries: 1 };
  const source = await httpSource(server.url("/x"), { ...options, timeoutMs: 1000 });
  server.intercept = () => true;
  const opening = httpSource(server.url("/x"), { ...options, timeoutMs: 100 });
  await t.throwsAsync(opening, { code: "ERR_HTTP_CONNECTION", message: /100 ms/ });
  // Also in the middle of an answer.
  server.intercept = stopAfterHeaders;
  const error = await t.throwsAsync(source.read(new Uint8Array(10), 50_000), { code: "ERR_HTTP_CONNECTION" });
  t.like(error, { path: server.url("/x") });
  t.deepEqual(server.ranges.slice(3), ["50000-50009", "50001-50009"]);
  while (server.connections > 0) await sleep(5);
});

const abortPlaces: Record<string, Intercept> = {
  "an answer": () => true,
  "the rest of an answer": stopAfterHeaders,
  "the next attempt": (_, response, seen) => {
    answer(seen, response, 503, { "retry-after": "20" });
    return true;
  },
};

function stopAfterHeaders(...[request, response]: Parameters<Intercept>): boolean {
  const [start, last] = (request.headers.range ?? "").slice(6).split("-");
  response.writeHead(206, { "content-range": `bytes ${start}-${last}/200000` });
  response.write("x");
  return true;
}

for (const [what, intercept] of Object.entries(abortPlaces)) {
  test(`an abort while ${what} is waited for rejects with the reason and frees the connection`, async (t) => {
    const server = await RangeServer.start(t, { "/x": { bytes: content } });
    const source = await httpSource(server.url("/x"));
    let arrived = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    server.intercept = (...args) => {
      setTimeout(arrived, 30);
      return intercept(...args);
    };
    const reason = { not: "an error" };
    const aborted = async (start: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
      const controller = new AbortController();
      const outcome = start(controller.signal).then(
        () => t.fail(),
        (error) => t.is(error, reason),
      );
      await asked;
      controller.abort(reason);
      await outcome;
    };
    await aborted((signal) => source.read(new Uint8Array(10), 50_000, { signal }));
    await aborted((signal) => httpSource(server.url("/x"), { signal }));
    // Closing ends what is under way too.
    const reading = source.read(new Uint8Array(10), 50_000);
    await source.close();
    await t.throwsAsync(reading, { instanceOf: TypeError, message: /closed/ });
    if (what !== "the next attempt") while (server.connections > 0) await sleep(5);
  });
}

test("a connection that dies while it is idle does not fail the next read", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  const source = await httpSource(server.url("/x"), fast);
  server.requests[0]?.connection.destroy();
  await source.read(new Uint8Array(10), 50_000);
  t.is(server.requests.at(-1)?.status, 206);
});

test("what is no HTTP at all is ERR_HTTP_CONNECTION", async (t) => {
  const server = createServer((socket) => socket.resume().end("SSH-2.0-OpenSSH\r\n"));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await t.throwsAsync(httpSource(`http://127.0.0.1:${port}/`, { ...fast, retries: 1 }), {
    code: "ERR_HTTP_CONNECTION",
  });
  await new Promise((closed) => server.close(closed));
});

test("Retry-After is read as seconds or as a date", (t) => {
  const now = Date.parse("2025-01-06T10:00:00Z");
  t.is(parseRetryAfter("3", now), 3000);
  t.is(parseRetryAfter("Mon, 06 Jan 2025 10:00:05 GMT", now), 5000);
  t.is(parseRetryAfter("Mon, 06 Jan 2025 09:00:00 GMT", now), 0);
  t.is(parseRetryAfter("soon", now), undefined);
  t.is(parseRetryAfter(null, now), undefined);
});
