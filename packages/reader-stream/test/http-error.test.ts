import { isNpyError, NpyError } from "@npystream/codec";
import test from "ava";
import { HttpStatusError, isTransientCause, isTransientStatus, TransientFailure } from "../src/http-error.ts";

test("a status is in the error and its message, with the address", (t) => {
  const error = new HttpStatusError(404, "Not Found", "http://host/x");
  t.true(isNpyError(error));
  t.like(error, { code: "ERR_HTTP_STATUS", status: 404, path: "http://host/x" });
  t.is(error.message, "http://host/x is answered with 404 Not Found");
  // HTTP/2 has no status text.
  t.is(new HttpStatusError(500, "", "http://host/x").message, "http://host/x is answered with 500");
});

test("a failure that may pass keeps what is thrown if it does not", (t) => {
  const failure = new NpyError("ERR_HTTP_CONNECTION", "no answer came");
  t.like(new TransientFailure(failure, 2000), { failure, retryAfterMs: 2000, message: "no answer came" });
});

test("of statuses 408, 429 and the server's own faults may pass", (t) => {
  const statuses = [200, 206, 304, 400, 401, 404, 408, 412, 416, 429, 499, 500, 503, 599, 600];
  t.deepEqual(statuses.filter(isTransientStatus), [408, 429, 500, 503, 599]);
});

test("a refused certificate does not pass, a lost connection does", (t) => {
  const caused = (code: string): Error =>
    new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
  for (const code of ["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "UND_ERR_SOCKET"])
    t.true(isTransientCause(caused(code)));
  for (const code of ["CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "ERR_TLS_CERT_ALTNAME_INVALID"]) {
    t.false(isTransientCause(caused(code)), code);
  }
  t.true(isTransientCause("no error at all"));
});
