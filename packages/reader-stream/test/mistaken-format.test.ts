import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { NpyError } from "@npystream/codec";
import test from "ava";
import { mapNpy, mapNpz, openNpy, openNpz } from "../src/index.ts";
import { explainFormat, explainOpening } from "../src/mistaken-format.ts";
import { numpy, openDescriptors, testFolder } from "./arrays-by-numpy.ts";
import { countedSource } from "./counted-source.ts";

const folder = testFolder("mistaken");
const [npy, npz, text] = ["x.npy", "x.npz", "x.txt"].map((name) => join(folder, name)) as [string, string, string];
numpy(
  "np.save(sys.argv[1], np.arange(3)); np.savez(sys.argv[2], x=np.arange(3)); open(sys.argv[3], 'w').write('hello, world')",
  npy,
  npz,
  text,
);

const ARCHIVE = { code: "ERR_NPZ_DIRECTORY", message: /this is a \.npy file and not an archive: openNpy reads it/ };
const ARRAY = { code: "ERR_NPY_MAGIC", message: /this is a ZIP archive.*openNpz.*openNpy\("set\.npz#name"\)/ };

test.serial("a .npy that is opened or mapped as an archive says what to call", async (t) => {
  t.like(await t.throwsAsync(openNpz(npy), ARCHIVE), { path: npy });
  await t.throwsAsync(openNpy(`${npz}`), ARRAY);
  t.like(
    t.throws(() => mapNpz(npy), ARCHIVE),
    { path: npy },
  );
  t.is(openDescriptors(folder), 0);
});

test.serial("an .npz that is opened or mapped as a .npy says what to call", async (t) => {
  t.like(await t.throwsAsync(openNpy(pathToFileURL(npz)), ARRAY), { path: npz });
  await t.throwsAsync(openNpy([npy, npz]), ARRAY);
  t.like(
    t.throws(() => mapNpy(npz), ARRAY),
    { path: npz },
  );
  t.is(openDescriptors(folder), 0);
});

test.serial("what is neither keeps its error", async (t) => {
  await t.throwsAsync(openNpy(text), { code: "ERR_NPY_MAGIC", message: /^(?!.*ZIP)/ });
  await t.throwsAsync(openNpz(text), { code: "ERR_NPZ_DIRECTORY", message: /^(?!.*\.npy file)/ });
  t.throws(() => mapNpy(text), { code: "ERR_NPY_MAGIC" });
  const other = new NpyError("ERR_NPY_MAGIC", "the bytes are others");
  t.is(explainFormat(other, new Uint8Array(6)), other);
  t.is(explainFormat(null, new Uint8Array(6)), null);
});

test("where the first bytes cannot be read the error stays what it was", async (t) => {
  const error = new NpyError("ERR_NPZ_DIRECTORY", "no end record");
  const down = { ...countedSource(new Uint8Array(10)), read: () => Promise.reject(new Error("the network is down")) };
  t.is(await explainOpening(error, down), error);
  t.is(await explainOpening(error, countedSource(new Uint8Array(3))), error);
  const changed = new NpyError("ERR_SOURCE_CHANGED", "it was changed");
  const counted = countedSource(new Uint8Array(10));
  t.is(await explainOpening(changed, counted), changed);
  t.is(counted.reads.length, 0);
});
