import test from "ava";
import { conditionOf, isSameVersion, parseContentRange } from "../src/http-range.ts";

test("Content-Range is read in every form of RFC 9110", (t) => {
  t.deepEqual(parseContentRange("bytes 0-499/1234"), { start: 0, stop: 500, total: 1234 });
  t.deepEqual(parseContentRange("Bytes 500-999/*"), { start: 500, stop: 1000, total: undefined });
  t.deepEqual(parseContentRange("bytes */1234"), { start: undefined, stop: undefined, total: 1234 });
});

test("what is no Content-Range of bytes is none", (t) => {
  for (const text of [null, "", "bytes", "rows 0-1/2", "bytes 0-/2", "bytes -1-2/3", "bytes 0-1/0x9", "bytes 0-1"]) {
    t.is(parseContentRange(text), undefined);
  }
  t.is(parseContentRange(`bytes 0-${"9".repeat(400)}/*`), undefined);
});

test("a strong ETag is a condition, a weak one is not, and a date is where there is no ETag", (t) => {
  const lastModified = "Mon, 06 Jan 2025 10:00:00 GMT";
  t.deepEqual(conditionOf({ etag: '"a"', lastModified }), { "if-match": '"a"' });
  t.deepEqual(conditionOf({ etag: 'W/"a"', lastModified }), {});
  t.deepEqual(conditionOf({ etag: undefined, lastModified }), { "if-unmodified-since": lastModified });
  t.deepEqual(conditionOf({ etag: undefined, lastModified: undefined }), {});
});

test("an ETag counts more than a date, and what was not known at first counts nothing", (t) => {
  const none = { etag: undefined, lastModified: undefined };
  t.true(isSameVersion({ etag: '"a"', lastModified: "x" }, { etag: '"a"', lastModified: "y" }));
  t.false(isSameVersion({ etag: '"a"', lastModified: "x" }, { etag: undefined, lastModified: "x" }));
  t.false(isSameVersion({ ...none, lastModified: "x" }, none));
  t.true(isSameVersion(none, { etag: '"a"', lastModified: "x" }));
});
