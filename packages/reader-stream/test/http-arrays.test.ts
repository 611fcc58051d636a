import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { openNpy, openNpz } from "../src/index.ts";
import { numpy, plain, testFolder } from "./arrays-by-numpy.ts";
import { RangeServer } from "./range-server.ts";

const folder = testFolder("http-arrays");

// 10,000 rows of 256 bytes.
const expected: {
  rows: number[][];
  gathered: number[][];
  near: number[][];
  sum: number;
  labels: number[];
  sha: string;
} = numpy(
  `
import hashlib
x = (np.arange(640_000, dtype='f4') % 9973).reshape(10_000, 64)
y = np.arange(10_000) * 3
np.save(f'{sys.argv[1]}/x.npy', x)
np.savez(f'{sys.argv[1]}/stored.npz', x=x, y=y)
np.savez_compressed(f'{sys.argv[1]}/deflated.npz', x=x, y=y)
print(json.dumps({'rows': x[5000:5010].tolist(), 'gathered': x[[9000, 5, 2000, 5]].tolist(), 'near': x[[4012, 4000, 4008, 4004]].tolist(),
    'sum': float(x.astype('f8').sum()), 'labels': y[100:110].tolist(), 'sha': hashlib.sha256(x.tobytes()).hexdigest()}))
`,
  folder,
);

const start = async (t: Parameters<typeof RangeServer.start>[0], ...names: string[]): Promise<RangeServer> => {
  const files = names.map((name) => [`/${name}`, { bytes: readFileSync(join(folder, name)), etag: `"${name}"` }]);
  return await RangeServer.start(t, Object.fromEntries(files));
};

test("rows and gathered rows of a .npy cost one request to open it and one a range", async (t) => {
  const server = await start(t, "x.npy");
  await using x = await openNpy(server.url("/x.npy?signature=secret"));
  t.is(x.path, server.url("/x.npy"));
  t.deepEqual(x.shape, [10_000, 64]);
  t.is(server.requests.length, 1);
  // In what the opening brought.
  await x.rows(0, 100);
  t.is(server.requests.length, 1);

  t.deepEqual(plain(await x.rows(5000, 5010)), expected.rows);
  t.deepEqual(server.ranges.slice(1), ["1280128-1282687"]);

  t.deepEqual(plain(await x.gather([9000, 5, 2000, 5])), expected.gathered);
  t.deepEqual(server.ranges.slice(2).sort(), ["2304128-2304383", "512128-512383"]);

  // Close ones are one request, for no more than four times the bytes.
  t.deepEqual(plain(await x.gather([4012, 4000, 4008, 4004])), expected.near);
  t.deepEqual(server.ranges.slice(4), ["1024128-1027455"]);
  t.is(server.bytesSent, 32_768 + 10 * 256 + 2 * 256 + 13 * 256);
});

test("a .npy is streamed and read whole, with each byte sent once", async (t) => {
  const server = await start(t, "x.npy");
  await using x = await openNpy(new URL(server.url("/x.npy")));
  let sum = 0;
  for await (const { data } of x.stream({ chunkBytes: 256 << 10 })) {
    for (const value of data as Float32Array) sum += value;
  }
  t.is(sum, expected.sum);
  t.is(server.bytesSent, 2_560_128);
  const { data } = await x.read();
  t.is(
    createHash("sha256")
      .update(data as Float32Array)
      .digest("hex"),
    expected.sha,
  );
});

for (const name of ["stored.npz", "deflated.npz"]) {
  test(`an array of a ${name.slice(0, -4)} .npz is read without the others`, async (t) => {
    const server = await start(t, name);
    await using archive = await openNpz(server.url(`/${name}`));
    t.deepEqual(archive.names, ["x", "y"]);
    // The start and the end, which holds the directory.
    t.is(server.requests.length, 2);
    await using y = await archive.open("y");
    t.deepEqual(plain(await y.rows(100, 110)), expected.labels);
    // Its local header and what follows; the deflated one is short enough to have come with the directory.
    t.is(server.requests.length, name === "deflated.npz" ? 2 : 3);
    t.true(server.bytesSent <= 32_768 + 65_577 + 65_565);
    const x = await archive.open("x");
    const { data } = await x.read();
    t.is(
      createHash("sha256")
        .update(data as Float32Array)
        .digest("hex"),
      expected.sha,
    );
  });
}

test("a member is named behind the address, and shards may be on servers", async (t) => {
  const server = await start(t, "x.npy", "stored.npz");
  await using labels = await openNpy(server.url("/stored.npz#y"));
  t.deepEqual(plain(await labels.rows(100, 110)), expected.labels);
  t.like(labels, { path: server.url("/stored.npz"), member: "y" });
  await using both = await openNpy([server.url("/x.npy"), join(folder, "x.npy")]);
  t.is(both.length, 20_000);
  t.deepEqual(plain(await both.rows(5000, 5010)), expected.rows);
});

test("an array that is replaced on the server midway is ERR_SOURCE_CHANGED, and has another fingerprint", async (t) => {
  const server = await start(t, "x.npy");
  const x = await openNpy(server.url("/x.npy"));
  const { bytes } = server.files.get("/x.npy") ?? { bytes: new Uint8Array() };
  server.files.set("/x.npy", { bytes, etag: '"other"' });
  const error = await t.throwsAsync(x.rows(5000, 5010), { code: "ERR_SOURCE_CHANGED" });
  t.like(error, { path: server.url("/x.npy") });
  const next = await openNpy(server.url("/x.npy"));
  t.not(next.fingerprint, x.fingerprint);
  await x.close();
  await next.close();
});

test("what is not there, and what is no array, is an error that names the address", async (t) => {
  const server = await start(t, "x.npy");
  server.files.set("/page", { bytes: Buffer.from("<!doctype html>") });
  const missing = await t.throwsAsync(openNpy(server.url("/none.npy?token=secret")), { code: "ERR_HTTP_STATUS" });
  t.like(missing, { path: server.url("/none.npy"), status: 404 });
  const page = await t.throwsAsync(openNpy(server.url("/page?token=secret")), { code: "ERR_NPY_MAGIC" });
  t.like(page, { path: server.url("/page") });
  await t.throwsAsync(openNpz(server.url("/x.npy")), { code: "ERR_NPZ_DIRECTORY" });
});
