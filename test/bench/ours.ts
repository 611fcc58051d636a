/** Our side of each measurement: `ours.ts TASK FOLDER`. Runs against the built packages, as users do. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { NdArray, RowChunk } from "@npystream/codec";
import { discover, nameTemplate } from "@npystream/pipeline-discovery";
import { mapNpy, mapNpz, openNpy, openNpz, readNpySync, stage } from "@npystream/reader-stream";
import { createNpyWriteStream, writeNpy, writeNpz } from "@npystream/writer-stream";
import { measure } from "./measure.ts";
import { pairBytes, writePair } from "./pair-files.ts";

const [task = "", folder = ""] = process.argv.slice(2);
const at = (name: string): string => join(folder, name);
const float32 = (array: NdArray | undefined): Float32Array => array?.data as Float32Array;
/** By index: `for .. of` and `reduce` over a typed array take 14 to 20 ns an element on Node 20, this 1.2 (measured). */
const sumOf = (data: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] ?? 0;
  return sum;
};

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  "map-row": () =>
    measure(async () => {
      let sum = 0;
      for (let i = 0; i < 300; i++) {
        using array = mapNpy(at("1g.npy"));
        const { data, offset, size } = array.at(i * 1000);
        for (let k = 0; k < size; k++) sum += (data as Float32Array)[offset + k] ?? 0;
      }
      return sum;
    }),
  "npz-mapped": () =>
    measure(async () => {
      using archive = mapNpz(at("aligned.npz"));
      const { data } = archive.get("c");
      return `${(data as Float32Array)[0]} ${(data as Float32Array).at(-1)}`;
    }),
  "npz-slice": () =>
    measure(async () => {
      await using member = await openNpy(`${at("blocks.npz")}#array`);
      return sumOf(float32(await member.rows(131_072, 132_072)));
    }),
  load: () =>
    measure(async () => {
      await using handle = await openNpy(at("256m.npy"));
      const data = float32(await handle.read());
      return `${data[0]} ${data.at(-1)}`;
    }),
  "load-sum": () =>
    measure(async () => {
      await using handle = await openNpy(at("256m.npy"));
      return sumOf(float32(await handle.read())).toFixed(0);
    }),
  stream: () =>
    measure(async () => {
      await using handle = await openNpy(at("1g.npy"));
      let bytes = 0;
      for await (const chunk of handle.stream()) bytes += chunk.byteLength;
      return bytes;
    }),
  "stream-pooled": () =>
    measure(async () => {
      await using handle = await openNpy(at("1g.npy"));
      let bytes = 0;
      for await (const chunk of handle.stream({ ownership: "pooled" })) bytes += chunk.byteLength;
      return bytes;
    }),
  "npz-stored": () =>
    measure(async () => {
      await using member = await openNpy(`${at("stored.npz")}#c`);
      const data = float32(await member.read());
      return `${data[0]} ${data.at(-1)}`;
    }),
  "npz-deflated": () =>
    measure(async () => {
      await using archive = await openNpz(at("deflated.npz"));
      const lasts = await Promise.all(
        archive.names.map(async (name) => {
          await using member = await archive.open(name);
          return float32(await member.read()).at(-1);
        }),
      );
      return lasts.join(" ");
    }),
  save: async () => {
    await using handle = await openNpy(at("256m.npy"));
    const array = await handle.read();
    await measure(async () => {
      await writeNpy(at("out.npy"), array, { overwrite: true });
      return array.byteLength;
    });
  },
  savez: async () => {
    await using handle = await openNpy(at("256m.npy"));
    const array = await handle.read();
    await measure(async () => {
      await writeNpz(at("out.npz"), { array }, { overwrite: true });
      return array.byteLength;
    });
  },
  "savez-deflated": async () => {
    await using handle = await openNpy(at("64m.npy"));
    const array = await handle.read();
    await measure(async () => {
      await writeNpz(at("out-deflated.npz"), { array }, { overwrite: true, compress: true });
      return array.byteLength;
    });
  },
  rows: () =>
    measure(async () => {
      const out = createNpyWriteStream(at("rows.npy"), { dtype: "float32", rowShape: [128], overwrite: true });
      const row = new Float32Array(128);
      for (let i = 0; i < 1_000_000; i++) {
        row[0] = i;
        await out.push(row);
      }
      return (await out.finish()).shape[0];
    }),
  "small-files": () =>
    measure(async () => {
      let bytes = 0;
      for (const name of await readdir(at("small"))) bytes += readNpySync(at(`small/${name}`)).byteLength;
      return bytes;
    }),
  deliver: async () => {
    const root = await mkdtemp(at("deliver-"));
    const names = nameTemplate("{key}.{role}.npy");
    const sets = { roles: { features: { dtype: "float32", shape: ["N", 4] }, labels: { dtype: "int64" } } } as const;
    await using found = discover({ roots: root, names, sets });
    const iterator = found[Symbol.asyncIterator]();
    const next = async () => {
      const { value } = await iterator.next();
      await value?.ack();
    };
    const [features, labels] = pairBytes();
    const first = next();
    await sleep(500);
    writePair(root, "first", features, labels);
    await first;
    await measure(async () => {
      for (let i = 0; i < 5; i++) {
        const delivered = next();
        writePair(root, String(i), features, labels);
        await delivered;
      }
      return 5;
    });
    await rm(root, { recursive: true });
  },
  discover: () =>
    measure(async () => {
      const sets = { roles: { features: { shape: ["N", 4] }, labels: { shape: ["N"] } } } as const;
      const names = nameTemplate("{key}.{role}.npy");
      await using found = discover({ roots: at("pairs"), names, sets, once: true });
      let pairs = 0;
      for await (const set of found) {
        pairs++;
        await set.ack();
      }
      return pairs;
    }),
  pipeline: () =>
    measure(async () => {
      await using handle = await openNpy(at("1g.npy"));
      const scale = (factor: number) =>
        stage((chunk: RowChunk) => {
          const data = float32(chunk);
          for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) * factor;
          return chunk;
        });
      await pipeline(
        handle.stream(),
        scale(2),
        scale(0.5),
        scale(3),
        createNpyWriteStream(at("piped.npy"), { overwrite: true }),
      );
      return handle.byteLength;
    }),
};

/** Archives that only npystream writes, for both sides to read; made once. */
async function make(): Promise<void> {
  if (existsSync(at("blocks.npz"))) return;
  await using stored = await openNpz(at("stored.npz"));
  const members: Record<string, NdArray> = {};
  for (const name of stored.names) {
    await using member = await stored.open(name);
    members[name] = await member.read();
  }
  await writeNpz(at("aligned.npz"), members, { overwrite: true });
  await using large = await openNpy(at("256m.npy"));
  await writeNpz(at("blocks.npz"), { array: await large.read() }, { compress: true });
}

const run = task === "make" ? make : tasks[task];
if (run === undefined) throw new Error(`no task ${task}; one of ${Object.keys(tasks).join(", ")}`);
// NumPy is loaded before its clock starts, and so is koffi, which is loaded when it is first needed.
if (task !== "make") mapNpy(at("labels.npy")).close();
await run();
