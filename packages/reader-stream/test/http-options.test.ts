import test from "ava";
import { isHttpUrl, resolveHttp } from "../src/http-options.ts";
import { type HttpSourceOptions, httpSource } from "../src/index.ts";

test("what is left out has its default", (t) => {
  const { url, ...settings } = resolveHttp("http://host/x?y#z", {});
  t.is(url.href, "http://host/x?y#z");
  t.deepEqual(settings, {
    headers: {},
    retries: 3,
    retryDelayMs: 200,
    timeoutMs: 30_000,
    prefixBytes: 32_768,
    fetch: globalThis.fetch,
  });
});

test("a user and password go to a header, unless there is one already", (t) => {
  const { url, headers } = resolveHttp("https://us%40er:p%3Aw@host/x", {});
  t.is(url.href, "https://host/x");
  t.deepEqual(headers, { authorization: `Basic ${Buffer.from("us@er:p:w").toString("base64")}` });
  const own = resolveHttp("https://user:pw@host/x", { headers: { Authorization: "Bearer t" } });
  t.deepEqual(own.headers, { authorization: "Bearer t" });
  t.is(own.url.href, "https://host/x");
});

test("what is no address of a web server is a TypeError that does not show it", async (t) => {
  const refuses = async (address: unknown, message: RegExp): Promise<void> => {
    const error = await t.throwsAsync(httpSource(address as string), { instanceOf: TypeError, message });
    t.notRegex(error?.message ?? "", /secret/);
  };
  await refuses(undefined, /expected an http: or https: URL, not undefined$/);
  await refuses(7, /not a number$/);
  await refuses(new ArrayBuffer(8), /not an ArrayBuffer$/);
  await refuses("secret.npy", /not another text$/);
  await refuses("http://", /not another text$/);
  await refuses(new URL("ftp://user:secret@host/x"), /not ftp:$/);
  t.true(isHttpUrl("HTTPS://host"));
  t.false(isHttpUrl("http:/host"));
});

test("options that cannot be are refused by name", (t) => {
  const refuses = (options: object, error: object): void => {
    t.throws(() => resolveHttp("http://host/x", options as HttpSourceOptions), error);
  };
  for (const name of ["retries", "retryDelayMs", "timeoutMs", "prefixBytes"]) {
    for (const value of [-1, 0.5, 2 ** 31, "1"]) {
      refuses({ [name]: value }, { instanceOf: RangeError, message: new RegExp(`^${name} is a whole number`) });
    }
  }
  refuses({ timeoutMs: 0 }, { instanceOf: RangeError });
  refuses({ prefixBytes: 0 }, { instanceOf: RangeError });
  t.is(resolveHttp("http://host/x", { retries: 0, retryDelayMs: 0 }).retries, 0);
  for (const name of ["Range", "if-match", "If-None-Match", "accept-encoding"]) {
    refuses({ headers: { [name]: "x" } }, { instanceOf: TypeError, message: /is set by httpSource itself/ });
  }
  refuses({ retry: 1 }, { instanceOf: TypeError, message: /no option retry/ });
});
