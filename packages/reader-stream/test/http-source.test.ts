import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import test from "ava";
import { type HttpSourceOptions, HttpStatusError, httpSource } from "../src/index.ts";
import { answer, RangeServer } from "./range-server.ts";
import { sourceSuite } from "./source-suite.ts";

const content = new Uint8Array(randomBytes(200_000));
const MONDAY = "Mon, 06 Jan 2025 10:00:00 GMT";
const TUESDAY = "Tue, 07 Jan 2025 10:00:00 GMT";

sourceSuite(test, "a file on a web server", async (t, _, bytes) => {
  const server = await RangeServer.start(t, { "/x": { bytes, etag: '"v1"', lastModified: MONDAY } });
  return { source: await httpSource(server.url("/x")) };
});

sourceSuite(test, "a file on a web server behind a fetch of the caller's", async (t, _, bytes) => {
  const server = await RangeServer.start(t, { "/x": { bytes } });
  const source = await httpSource(server.url("/x"), { prefixBytes: 1, fetch: (url, init) => fetch(url, init) });
  return { source };
});

test("opening is one request that keeps the first bytes; every other read is one for exactly what is missing", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content, etag: '"v1"' } });
  const source = await httpSource(server.url("/x"), { headers: { "X-Token": "t" } });
  t.is(source.byteLength, 200_000);
  t.is(source.version, '"v1"');
  t.is(source.gapBytes, 32_768);
  await source.read(new Uint8Array(4096), 0);
  await source.read(new Uint8Array(0), 100_000);
  await source.read(new Uint8Array(10), 100_000);
  const into = new Uint8Array(100_000);
  await source.read(into, 30_000);
  t.true(Buffer.from(into).equals(content.subarray(30_000, 130_000)));
  t.deepEqual(server.ranges, ["0-32767", "100000-100009", "32768-129999"]);
  t.is(server.bytesSent, 32_768 + 10 + 97_232);
  for (const { headers } of server.requests) t.like(headers, { "x-token": "t", "accept-encoding": "identity" });
  t.is(server.requests[0]?.headers["if-match"], undefined);
  t.is(server.requests[1]?.headers["if-match"], '"v1"');
  await source.close();
});

test("reads one after another take one connection", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  const source = await httpSource(server.url("/x"));
  for (let i = 0; i < 20; i++) await source.read(new Uint8Array(9000), 40_000 + i * 5000);
  t.is(server.requests.length, 21);
  t.is(new Set(server.requests.map(({ connection }) => connection)).size, 1);
});

test("a short file is there whole after one request, an empty one too", async (t) => {
  const bytes = content.subarray(0, 100);
  const server = await RangeServer.start(t, { "/short": { bytes }, "/empty": { bytes: new Uint8Array(0) } });
  const short = await httpSource(server.url("/short"));
  const into = new Uint8Array(100);
  await short.read(into, 0);
  t.deepEqual(into, bytes);
  const empty = await httpSource(server.url("/empty"));
  t.is(empty.byteLength, 0);
  server.intercept = (_, response, seen) => {
    answer(seen, response, 200);
    return true;
  };
  t.is((await httpSource(server.url("/whole-and-empty"))).byteLength, 0);
  t.is(server.requests.length, 3);
});

const changes = test.macro({
  title: (_, what: string) => `a file whose ${what} is ERR_SOURCE_CHANGED, and is asked for once`,
  async exec(
    t,
    _: string,
    before: { etag?: string; lastModified?: string; version: string | undefined; condition?: Record<string, string> },
    after: { etag?: string; lastModified?: string; length?: number },
  ) {
    const server = await RangeServer.start(t, { "/x": { bytes: content, ...before } });
    const source = await httpSource(server.url("/x"));
    t.is(source.version, before.version);
    await source.read(new Uint8Array(10), 50_000);
    const conditions = Object.entries(server.requests[1]?.headers ?? {}).filter(([name]) => name.startsWith("if-"));
    t.deepEqual(Object.fromEntries(conditions), before.condition ?? {});
    t.is(server.requests[1]?.status, 206);
    server.files.set("/x", { bytes: content.subarray(0, after.length), ...after });
    const error = await t.throwsAsync(source.read(new Uint8Array(10), 60_000), { code: "ERR_SOURCE_CHANGED" });
    t.like(error, { path: server.url("/x") });
    t.is(server.requests.length, 3);
    await source.close();
  },
});

test(
  "ETag changes",
  changes,
  "ETag changes",
  { etag: '"a"', lastModified: MONDAY, version: '"a"', condition: { "if-match": '"a"' } },
  { etag: '"b"', lastModified: MONDAY },
);
test("weak", changes, "weak ETag changes", { etag: 'W/"a"', version: 'W/"a"' }, { etag: 'W/"b"' });
test("gone", changes, "ETag disappears", { etag: 'W/"a"', version: 'W/"a"' }, {});
test(
  "date",
  changes,
  "date changes",
  { lastModified: MONDAY, version: MONDAY, condition: { "if-unmodified-since": MONDAY } },
  { lastModified: TUESDAY },
);
test(
  "back",
  changes,
  "date goes back",
  { lastModified: TUESDAY, version: TUESDAY, condition: { "if-unmodified-since": TUESDAY } },
  { lastModified: MONDAY },
);
test("length", changes, "length changes without any version", { version: undefined }, { length: 150_000 });
test("shorter", changes, "end is cut off before what is read", { version: undefined }, { length: 55_000 });

test("a server that does not take conditions is found out by the ETag it sends", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content, etag: '"a"' } });
  const source = await httpSource(server.url("/x"));
  server.files.set("/x", { bytes: content, etag: '"b"' });
  server.intercept = (request) => {
    delete request.headers["if-match"];
    return false;
  };
  await t.throwsAsync(source.read(new Uint8Array(10), 60_000), { code: "ERR_SOURCE_CHANGED" });
  t.is(server.requests[1]?.status, 206);
});

test("a server without ranges is ERR_HTTP_RANGE, with a way out, and its answer is not taken", async (t) => {
  const server = await RangeServer.start(t);
  let isCut = false;
  server.intercept = (_, response) => {
    response.writeHead(200, { "content-length": 1 << 30 });
    const more = (): boolean => response.write(Buffer.alloc(65_536));
    response.on("drain", more);
    response.on("close", () => {
      isCut = true;
    });
    more();
    return true;
  };
  await t.throwsAsync(httpSource(server.url("/x")), {
    code: "ERR_HTTP_RANGE",
    message: /spool\(\).*createNpyReadStream/,
  });
  while (!isCut) await new Promise((turn) => setTimeout(turn, 5));
  t.is(server.requests.length, 1);
});

const wrongAnswers: Record<string, [status: number, headers: Record<string, string>]> = {
  "another range": [206, { "content-range": "bytes 1-32768/200000" }],
  "a shorter range": [206, { "content-range": "bytes 0-99/200000" }],
  "no Content-Range": [206, {}],
  "several parts": [206, { "content-type": "multipart/byteranges; boundary=x" }],
  "a Content-Range of another unit": [206, { "content-range": "rows 0-32767/200000" }],
  "a range without length": [206, { "content-range": "bytes 0-32767/*" }],
  "a length past 2^53": [206, { "content-range": "bytes 0-32767/99999999999999999999" }],
};

for (const [what, [status, headers]] of Object.entries(wrongAnswers)) {
  test(`${what} in answer to the opening is ERR_HTTP_RANGE`, async (t) => {
    const server = await RangeServer.start(t);
    server.intercept = (_, response, seen) => {
      answer(seen, response, status, headers, content.subarray(0, 32_768));
      return true;
    };
    await t.throwsAsync(httpSource(server.url("/x")), { code: "ERR_HTTP_RANGE" });
    t.is(server.requests.length, 1);
  });
}

test("another range than asked for in answer to a read is ERR_HTTP_RANGE", async (t) => {
  const server = await RangeServer.start(t, { "/x": { bytes: content } });
  const source = await httpSource(server.url("/x"));
  server.intercept = (_, response, seen) => {
    answer(seen, response, 206, { "content-range": "bytes 60000-60009/200000" }, content.subarray(0, 10));
    return true;
  };
  await t.throwsAsync(source.read(new Uint8Array(10), 60_001), { code: "ERR_HTTP_RANGE", message: /60001-60010/ });
});

test("a server that compresses whatever is asked for is ERR_HTTP_RANGE", async (t) => {
  const server = await RangeServer.start(t);
  server.intercept = (_, response, seen) => {
    const headers = { "content-encoding": "gzip", "content-range": "bytes 0-32767/200000" };
    answer(seen, response, 206, headers, gzipSync(content.subarray(0, 32_768)));
    return true;
  };
  await t.throwsAsync(httpSource(server.url("/x")), { code: "ERR_HTTP_RANGE", message: /gzip/ });
});

test("more bytes than announced are not taken", async (t) => {
  const server = await RangeServer.start(t);
  server.intercept = (_, response) => {
    // Chunked, so that nothing announces the length.
    response.writeHead(206, { "content-range": "bytes 0-9/10" });
    response.end(content.subarray(0, 500));
    return true;
  };
  const source = await httpSource(server.url("/x"));
  const into = new Uint8Array(10);
  await source.read(into, 0);
  t.deepEqual(into, content.slice(0, 10));
});

test("a status that does not pass is ERR_HTTP_STATUS at once, and shows neither password nor query", async (t) => {
  const server = await RangeServer.start(t);
  const url = new URL(server.url("/folder/x.npy?X-Amz-Signature=secret#fragment"));
  url.username = "user";
  url.password = "p%C3%A4ss";
  for (const status of [400, 401, 403, 404, 410, 204]) {
    server.intercept = (_, response, seen) => {
      answer(seen, response, status);
      return true;
    };
    const error = await t.throwsAsync(httpSource(url), { instanceOf: HttpStatusError, code: "ERR_HTTP_STATUS" });
    t.like(error, { status, path: server.url("/folder/x.npy") });
    t.regex(error.message, new RegExp(`^http://.*/folder/x.npy is answered with ${status}`));
    t.false(/secret|user|ss@/.test(`${error.stack} ${JSON.stringify(error)}`));
  }
  t.is(server.requests.length, 6);
  t.is(server.requests[0]?.headers.authorization, `Basic ${Buffer.from("user:päss").toString("base64")}`);
});

test("redirects are followed", async (t) => {
  const server = await RangeServer.start(t, { "/final": { bytes: content, etag: '"a"' } });
  server.intercept = (request, response, seen) => {
    if (request.url !== "/first") return false;
    answer(seen, response, 302, { location: "/final" });
    return true;
  };
  const source = await httpSource(server.url("/first"));
  const into = new Uint8Array(50_000);
  await source.read(into, 100_000);
  t.true(Buffer.from(into).equals(content.subarray(100_000, 150_000)));
});

test("options are checked", async (t) => {
  const url = "http://127.0.0.1:9/";
  const refuse = (options: object, expected: object, address: string | URL = url): Promise<unknown> =>
    t.throwsAsync(httpSource(address, options as HttpSourceOptions), expected);
  await refuse({ retry: 3 }, { instanceOf: TypeError, message: /no option retry/ });
  await refuse({ retries: -1 }, { instanceOf: RangeError, message: /retries/ });
  await refuse({ timeoutMs: 0 }, { instanceOf: RangeError, message: /timeoutMs/ });
  await refuse({ prefixBytes: 0.5 }, { instanceOf: RangeError, message: /prefixBytes/ });
  await refuse({ headers: { Range: "bytes=0-1" } }, { instanceOf: TypeError, message: /range/ });
  await refuse({ headers: { "If-Match": "*" } }, { instanceOf: TypeError, message: /if-match/ });
  for (const address of ["ftp://host/x", "http://user:secret@[", new URL("file:///x")]) {
    await refuse({}, { instanceOf: TypeError, message: /^expected an http: or https: URL, not / }, address);
  }
});
