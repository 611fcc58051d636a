/** Node's own means on the other side of a measurement: `plain-node.ts TASK FOLDER`. */
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { watch } from "chokidar";
import { measure } from "./measure.ts";
import { pairBytes, writePair } from "./pair-files.ts";

const [task = "", folder = ""] = process.argv.slice(2);

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  stream: () =>
    measure(async () => {
      let bytes = 0;
      for await (const piece of createReadStream(join(folder, "1g.npy"), { start: 128 })) bytes += piece.length;
      return bytes;
    }),
  rows: () =>
    measure(async () => {
      const out = createWriteStream(join(folder, "plain.bin"));
      const row = new Float32Array(128);
      for (let i = 0; i < 1_000_000; i++) {
        row[0] = i;
        // A copy a row, as a stream that holds on to what it is given asks for.
        if (!out.write(new Uint8Array(row.slice().buffer))) await once(out, "drain");
      }
      out.end();
      await finished(out);
      return 1_000_000;
    }),
  deliver: async () => {
    const root = await mkdtemp(join(folder, "deliver-"));
    const watcher = watch(root, { awaitWriteFinish: true });
    await once(watcher, "ready");
    const [features, labels] = pairBytes();
    await measure(async () => {
      for (let i = 0; i < 5; i++) {
        const delivered = once(watcher, "add").then(() => once(watcher, "add"));
        writePair(root, String(i), features, labels);
        await delivered;
      }
      return 5;
    });
    await watcher.close();
    await rm(root, { recursive: true });
  },
  watch: () =>
    measure(async () => {
      let files = 0;
      const watcher = watch(join(folder, "pairs"));
      watcher.on("add", () => files++);
      await once(watcher, "ready");
      await watcher.close();
      return files / 2;
    }),
};

const run = tasks[task];
if (run === undefined) throw new Error(`no task ${task}; one of ${Object.keys(tasks).join(", ")}`);
await run();
