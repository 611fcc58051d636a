/** Our side of each measurement: `ours.ts TASK FOLDER`. Runs against the built packages, as users do. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { NdArray, RowChunk } from "@npystream/codec";
import { discover, nameTemplate } from "@npystream/pipeline-discovery";
import { openDataset, openNpy, openNpz, readNpySync, stage } from "@npystream/reader-stream";
import { createNpyWriteStream, writeNpy, writeNpz } from "@npystream/writer-stream";
import { measure } from "./measure.ts";

const [task = "", folder = ""] = process.argv.slice(2);
const at = (name: string): string => join(folder, name);
const float32 = (array: NdArray | undefined): Float32Array => array?.data as Float32Array;

const tasks: Readonly<Record<string, () => Promise<void>>> = {
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

const run = tasks[task];
if (run === undefined) throw new Error(`no task ${task}; one of ${Object.keys(tasks).join(", ")}`);
await run();
