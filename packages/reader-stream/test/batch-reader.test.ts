import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { openDataset, openNpz } from "../src/index.ts";
import { numpy, testFolder } from "./arrays-by-numpy.ts";
import { bytesRead, countedSource } from "./counted-source.ts";

const folder = testFolder("batch-reader");
const ROWS = 400_000;
numpy(
  `
r = np.random.default_rng(1)
np.savez_compressed(sys.argv[1] + '/set.npz', x=np.stack([np.arange(${ROWS}), r.integers(0, 2**31, ${ROWS})], 1).astype('i4'))
`,
  folder,
);

test("scattered rows of a deflated member are inflated once, however many batches are made ready", async (t) => {
  const source = countedSource(readFileSync(join(folder, "set.npz")));
  await using archive = await openNpz(source);
  await using dataset = await openDataset({ x: { from: await archive.open("x"), as: "int32" } });
  const { test: part } = await dataset.split({ train: 0.8, test: 0.2 }, { seed: 7 });
  for (const last of ["keep", "wrap"] as const) {
    source.reads.length = 0;
    const rows: number[] = [];
    for await (const { x } of part.batches({ size: 20_000, last })) {
      for (let i = 0; i < x.length; i++) rows.push(x.get(i, 0));
    }
    const expected = (await part.gather(Array.from({ length: part.length }, (_, i) => i))).x;
    t.deepEqual(
      rows.slice(0, part.length),
      Array.from({ length: part.length }, (_, i) => expected.get(i, 0)),
    );
    t.is(rows.length, last === "keep" ? part.length : Math.ceil(part.length / 20_000) * 20_000);
    // Once, and once more for the rows that are wrapped around or gathered above.
    t.true(bytesRead(source) <= 3 * source.byteLength, `${bytesRead(source)} of ${source.byteLength}`);
  }
});
