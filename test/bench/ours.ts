/** Our side of each measurement: `ours.ts TASK FOLDER`. Runs against the built packages, as users do. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { NdArray, RowChunk } from "@npystream/codec";
import { discover, nameTemplate } from "@npystream/pipeline-discovery";
import { mapNpy, mapNpz, openDataset, openNpy, openNpz, readNpySync, stage } from "@npystream/reader-stream";
import { createNpyWriteStream, writeNpy, writeNpz } from "@npystream/writer-stream";
import { measure } from "./measure.ts";

const [task = "", folder = ""] = process.argv.slice(2);
const at = (name: string): string => join(folder, name);
const float32 = (array: NdArray | undefined): Float32Array => array?.data as Float32Array;

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
      return float32(await member.rows(131_072, 132_072)).reduce((sum, value) => sum + value, 0);
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
      let sum = 0;
      for (const value of float32(await handle.read())) sum += value;
      return sum.toFixed(0);
    }),
  stream: () =>
    measure(async () => {
      await using handle = await openNpy(at("1g.npy"));
      let bytes = 0;
      for await (const chunk of handle.stream()) bytes += chunk.byteLength;
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
  epoch: async () => {
    await using dataset = await openDataset({ features: at("256m.npy"), labels: at("labels.npy") });
    await measure(async () => {
      let [rows, sum] = [0, 0n];
      for await (const { labels } of dataset.batches({ size: 1024, shuffle: { kind: "full" }, seed: 1 })) {
        rows += labels.length;
        sum += (labels.data as BigInt64Array)[0] ?? 0n;
      }
      return sum >= 0n ? rows : -1;
    });
  },
  "epoch-blocks": async () => {
    await using dataset = await openDataset({ features: at("256m.npy"), labels: at("labels.npy") });
    await measure(async () => {
      let rows = 0;
      for await (const { labels } of dataset.batches({ size: 1024, shuffle: true, seed: 1 })) rows += labels.length;
      return rows;
    });
  },
  resume: async () => {
    await using dataset = await openDataset({ rows: at("sparse.npy") });
    await measure(async () => {
      let rows = 0;
      for (const shuffle of [true, { kind: "full" }] as const) {
        const options = { size: 1024, shuffle, seed: 1 };
        const start = dataset.batches(options).state();
        for (const part of [0.1, 0.5, 0.99]) {
          const state = { ...start, position: Math.floor((dataset.length / 1024) * part) * 1024 };
          const batches = dataset.batches({ ...options, state });
          rows += (await batches.next()).value?.meta.rows ?? 0;
          await batches.return();
        }
      }
      return rows;
    });
  },
  "small-files": () =>
    measure(async () => {
      let bytes = 0;
      for (const name of await readdir(at("small"))) bytes += readNpySync(at(`small/${name}`)).byteLength;
      return bytes;
    }),
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
await run();
