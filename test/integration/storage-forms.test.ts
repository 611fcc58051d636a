import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AxisIndex, NdArray } from "@npystream/codec";
import { type ArrayHandle, mappedSource, openNpy } from "@npystream/reader-stream";
import { writeNpz } from "@npystream/writer-stream";
import test, { type ExecutionContext } from "ava";
import { RangeServer } from "../../packages/reader-stream/test/range-server.ts";

/** A request and NumPy's answer. */
type Request =
  | { readonly kind: "slice"; readonly ranges: Range[]; readonly shape: number[]; readonly values: unknown }
  | { readonly kind: "rows"; readonly start: number; readonly stop: number; readonly values: unknown }
  | { readonly kind: "gather"; readonly indices: number[]; readonly values: unknown };

type Range = null | number | readonly [start: number | null, stop: number | null, step: number];

interface Case {
  readonly name: string;
  readonly shape: readonly number[];
  /** The whole array where it is small. */
  readonly whole: unknown[] | null;
  readonly requests: readonly Request[];
}

const seed = process.env["STORAGE_FORMS_SEED"] ?? String(Math.floor(Math.random() * 1e6));
const folder = mkdtempSync(join(tmpdir(), "npystream-forms-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const program = fileURLToPath(new URL("storage-forms.py", import.meta.url));
const cases: readonly Case[] = JSON.parse(
  execFileSync("python3", [program, folder, seed], { encoding: "utf8", maxBuffer: 1 << 28 }),
);

/** Opens one logical array, by what its files are called, in one form. */
const forms: Readonly<Record<string, (base: string, t: ExecutionContext) => Promise<ArrayHandle>>> = {
  "C order": (base) => openNpy(`${base}.c.npy`),
  "Fortran order": (base) => openNpy(`${base}.f.npy`),
  "big-endian": (base) => openNpy(`${base}.big.npy`),
  "big-endian Fortran order": (base) => openNpy(`${base}.bigf.npy`),
  "a stored member": (base) => openNpy(`${base}.stored.npz#a`),
  "a stored Fortran member": (base) => openNpy(`${base}.stored.npz#f`),
  "a deflated member": (base) => openNpy(`${base}.deflated.npz#a`),
  "a deflated Fortran member": (base) => openNpy(`${base}.deflated.npz#f`),
  "a block-deflated member": async (base) => {
    await using source = await openNpy(`${base}.c.npy`);
    await writeNpz(
      `${base}.blocks.npz`,
      { other: await source.rows(0, 1), a: await source.read() },
      { compress: true, overwrite: true },
    );
    return await openNpy(`${base}.blocks.npz#a`);
  },
  "shards of both orders and byte orders": (base) => openNpy([0, 1, 2, 3].map((shard) => `${base}.shard${shard}.npy`)),
  bytes: async (base) => openNpy(readFileSync(`${base}.c.npy`)),
  "a blob": async (base) => openNpy(new Blob([readFileSync(`${base}.f.npy`)])),
  "a mapped file": (base) => openNpy(mappedSource(`${base}.c.npy`)),
  "a file mapped by windows": (base) => openNpy(mappedSource(`${base}.f.npy`, { windowBytes: 64 << 10 })),
  "a web server": async (base, t) => {
    const server = await RangeServer.start(t, { "/array.npy": { bytes: readFileSync(`${base}.c.npy`), etag: '"1"' } });
    return await openNpy(server.url("/array.npy"));
  },
};

const answers = test.macro({
  title: (_, form: string) => `${form} gives NumPy's answers to the same random slices, rows and gathers`,
  async exec(t, form: string) {
    t.timeout(120_000);
    t.log(`STORAGE_FORMS_SEED=${seed}`);
    for (const { name, shape, whole, requests } of cases) {
      const handle = await forms[form]?.(join(folder, name), t);
      if (handle === undefined) return t.fail();
      t.deepEqual(handle.shape, shape);
      for (const request of requests) {
        const { values, ...asked } = request;
        t.deepEqual(plain(await answer(handle, request)), values, `${name} ${JSON.stringify(asked).slice(0, 200)}`);
      }
      await checkStream(handle, requests);
      if (whole !== null) t.deepEqual(plain(await handle.read()), whole, name);
      await handle.close();
    }
    t.is(descriptorsOn(folder), 0);

    async function checkStream(handle: ArrayHandle, asked: readonly Request[]): Promise<void> {
      for (const request of asked.filter(({ kind }) => kind === "slice").slice(0, 3)) {
        if (request.kind !== "slice" || request.shape.length === 0) continue;
        const rows: unknown[] = [];
        for await (const chunk of handle.slice(...request.ranges.map(axisIndex)).stream({ chunkBytes: 300 })) {
          t.is(chunk.rowStart, rows.length);
          rows.push(...(plain(chunk) as unknown[]));
        }
        t.deepEqual(rows, request.values);
      }
    }
  },
});
for (const form of Object.keys(forms)) test.serial(answers, form);

test.serial("as gives what reading and astype give, of rows, gathers, slices and streams", async (t) => {
  for (const form of Object.keys(forms)) {
    await using handle = (await forms[form]?.(join(folder, "u2-40x5x7"), t)) as ArrayHandle;
    const whole = (await handle.read()).astype("float64");
    const rows = [3, 39, 0, 3, 11];
    t.deepEqual(plain(await handle.read({ as: "float64" })), plain(whole), form);
    t.deepEqual(plain(await handle.rows(5, 30, { as: "float32" })), plain(whole.slice({ start: 5, stop: 30 })), form);
    t.deepEqual(
      plain(await handle.gather(rows, { as: "float32" })),
      rows.map((row) => plain(whole.at(row))),
      form,
    );
    const ranges = [{ start: 30, stop: 2, step: -3 }, null, { step: 2 }];
    t.deepEqual(plain(await handle.slice(...ranges).read({ as: "int32" })), plain(whole.slice(...ranges)), form);
    let rowStart = 0;
    for await (const chunk of handle.stream({ as: "float32", chunkBytes: 1000 })) {
      t.is(chunk.dtype, "float32");
      t.deepEqual(plain(chunk), plain(whole.slice({ start: rowStart, stop: rowStart + chunk.length })));
      rowStart += chunk.length;
    }
    t.is(rowStart, 40);
  }
});

async function answer(handle: ArrayHandle, request: Request): Promise<NdArray> {
  if (request.kind === "rows") return await handle.rows(request.start, request.stop);
  if (request.kind === "gather") return await handle.gather(request.indices);
  return await handle.slice(...request.ranges.map(axisIndex)).read();
}

function axisIndex(range: Range): AxisIndex {
  if (range === null || typeof range === "number") return range;
  const [start, stop, step] = range;
  return { ...(start === null ? {} : { start }), ...(stop === null ? {} : { stop }), step };
}

/** The elements as the program prints them: integers as numbers, complex numbers as pairs. */
function plain(array: NdArray): unknown {
  const simple = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(simple);
    if (typeof value === "bigint") return Number(value);
    if (typeof value === "object" && value !== null && "re" in value && "im" in value) return [value.re, value.im];
    return value;
  };
  return simple(array.toNested());
}

/** Number of descriptors that this process holds open on files in a folder. */
function descriptorsOn(path: string): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      // The descriptor of this very listing is gone by now.
      return false;
    }
  }).length;
}
