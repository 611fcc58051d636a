import test, { type ExecutionContext } from "ava";
import { elementType } from "../src/parse-descr.ts";
import { formatShardManifest, isRole, parseShardManifest, type ShardManifest } from "../src/shard-manifest.ts";

const sha256 = "0123456789abcdef".repeat(4);

const manifest: ShardManifest = {
  rows: 5,
  arrays: {
    features: { type: elementType("<f4"), rowShape: [2, 3] },
    labels: { type: elementType("int64"), rowShape: [] },
  },
  shards: [
    {
      rows: 3,
      files: {
        features: { name: "features-000.npy", byteLength: 128 + 72, sha256 },
        labels: { name: "labels-000.npy", byteLength: 128 + 24, sha256 },
      },
    },
    {
      rows: 2,
      files: {
        features: { name: "more/features-001.npy", byteLength: 128 + 48, sha256 },
        labels: { name: "labels-001.npy", byteLength: 128 + 16, sha256 },
      },
    },
  ],
};

test("a manifest is JSON, a shard a line, and is read back as it was", (t) => {
  const text = formatShardManifest(manifest);
  t.deepEqual(parseShardManifest(text), manifest);
  t.is(
    text,
    `{
  "format": "npystream-shards",
  "version": 1,
  "rows": 5,
  "arrays": {"features":{"dtype":"float32","descr":"<f4","rowShape":[2,3]},"labels":{"dtype":"int64","descr":"<i8","rowShape":[]}},
  "shards": [
    {"rows":3,"files":{"features":{"name":"features-000.npy","byteLength":200,"sha256":"${sha256}"},"labels":{"name":"labels-000.npy","byteLength":152,"sha256":"${sha256}"}}},
    {"rows":2,"files":{"features":{"name":"more/features-001.npy","byteLength":176,"sha256":"${sha256}"},"labels":{"name":"labels-001.npy","byteLength":144,"sha256":"${sha256}"}}}
  ]
}
`,
  );
});

test("structs with titles, sub-arrays and padding, text and dates keep their type", (t) => {
  for (const descr of [
    [
      [["title", "a"], "<i4"],
      ["b", "<f8", [2, 2]],
      ["", "|V4"],
      ["c", [["d", "|S3"]]],
    ],
    "<U5",
    "<M8[25s]",
    "|V0",
  ] as const) {
    const type = elementType(descr);
    const whole: ShardManifest = { rows: 0, arrays: { x: { type, rowShape: [] } }, shards: [] };
    t.deepEqual(parseShardManifest(formatShardManifest(whole)).arrays["x"]?.type, type);
  }
});

test("keys that a later release adds are passed over", (t) => {
  const root = JSON.parse(formatShardManifest(manifest));
  root.createdBy = "another";
  root.shards[0].note = 1;
  t.deepEqual(parseShardManifest(JSON.stringify(root)), manifest);
});

test("a role is a short name", (t) => {
  t.deepEqual(["features", "x1", "_a.b-c"].map(isRole), [true, true, true]);
  t.deepEqual(["", "1x", "a/b", "a b", "__proto__", "..", "x".repeat(101)].map(isRole), Array(7).fill(false));
});

type Change = (root: Record<string, never>) => unknown;

const refuses = test.macro({
  title: (what) => `${what} is ERR_MANIFEST`,
  exec(t: ExecutionContext, change: Change, message: RegExp) {
    const root = JSON.parse(formatShardManifest(manifest));
    const text = change(root);
    t.throws(() => parseShardManifest(typeof text === "string" ? text : JSON.stringify(text ?? root)), {
      code: "ERR_MANIFEST",
      message,
    });
  },
});

/** Puts a value where the path leads, or takes it away. */
function put(path: string, value?: unknown): Change {
  return (root) => {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const place = keys.reduce((at: Record<string, never>, key) => at[key] ?? ({} as never), root);
    if (value === undefined) delete place[last];
    else place[last] = value as never;
    return root;
  };
}

test("text that is no JSON", refuses, () => "{", /no JSON/);
test("a list", refuses, () => "[]", /no object/);
test("null", refuses, () => "null", /null/);
test("another format", refuses, put("format", "webdataset"), /webdataset/);
test("a later version", refuses, put("version", 2), /version is 2/);
test("no arrays", refuses, put("arrays", {}), /none/);
test("a number for the shards", refuses, put("shards", 5), /no list/);
test("a row count that does not add up", refuses, put("rows", 6), /rows is 6 and its shards have 5/);
test("a negative row count", refuses, put("shards.0.rows", -1), /whole number/);
test("a fraction of a row", refuses, put("shards.0.rows", 0.5), /whole number/);
test("a file that is missing", refuses, put("shards.1.files.labels"), /shard 1 lacks a file of labels/);
test("a file of no array", refuses, put("shards.1.files.x", {}), /none of the arrays/);
test("a name that leaves the folder", refuses, put("shards.0.files.labels.name", "../x.npy"), /no safe name/);
test("an absolute name", refuses, put("shards.0.files.labels.name", "/x.npy"), /no safe name/);
test("a name of a number", refuses, put("shards.0.files.labels.name", 5), /no safe name/);
test("a name that stands twice", refuses, put("shards.0.files.labels.name", "labels-001.npy"), /twice/);
test("a digest that is none", refuses, put("shards.0.files.labels.sha256", sha256.toUpperCase()), /sha256/);
test("a size that does not hold the rows", refuses, put("shards.0.files.labels.byteLength", 24), /do not hold/);
test("a dtype there is not", refuses, put("arrays.labels.descr", "<q9"), /labels/);
test("an array of objects", refuses, put("arrays.labels.descr", "|O"), /labels/);
test("a descr of a number", refuses, put("arrays.labels.descr", 5), /no list/);
test("a field that is none", refuses, put("arrays.labels.descr", [["a", "<i4", [2], 5]]), /field/);
test("a row of negative extent", refuses, put("arrays.labels.rowShape", [-1]), /extent/);
test("a row past 2^53 bytes", refuses, put("arrays.labels.rowShape", [2 ** 52, 2 ** 52]), /2\^53/);
test("a role that is none", refuses, put("arrays.a/b", { descr: "<i4", rowShape: [] }), /role/);
test(
  "a descr nested without end",
  refuses,
  (root) => JSON.stringify(root).replace('"<i8"', `${'[["a",'.repeat(5000)}"<i4"${"]]".repeat(5000)}`),
  /nested/,
);
