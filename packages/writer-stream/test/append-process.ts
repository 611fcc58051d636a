/**
 * A process that appends or writes shards, for tests that need one of their own.
 *
 *     append-process.ts append PATH COUNT   adds rows to PATH, COUNT times or for ever, one append after another, and prints each result
 *     append-process.ts hold PATH           begins to append, prints a line and waits
 *     append-process.ts shards FOLDER       writes shards of two roles into FOLDER again and again, replacing the old ones
 *     append-process.ts try PATH            appends a row as user 65534, and prints the code and the cause of what happens
 */
import { join } from "node:path";
import { isNpyError } from "@npystream/codec";
import { createNpyWriteStream } from "../src/npy-write-stream.ts";
import { createShardWriter } from "../src/shard-writer.ts";

const [mode, path = "", count = "Infinity"] = process.argv.slice(2);

if (mode === "append") await appendRows(path, Number(count));
else if (mode === "shards") await writeShards(path);
else if (mode === "try") await tryToAppend(path);
else {
  const out = createNpyWriteStream(path, { mode: "append" });
  await out.push([1, 2]);
  console.log("open");
  setInterval(() => undefined, 1000);
}

async function appendRows(target: string, times: number): Promise<void> {
  for (let round = 0; round < times; round++) {
    try {
      const out = createNpyWriteStream(target, { mode: "append", dtype: "int32", rowShape: [512] });
      const rows = 1 + ((round * 197) % 900);
      const row = new Int32Array(512);
      // Every row of one append says how many that append has, and which of them it is.
      for (let index = 0; index < rows; index++) {
        row.fill(rows * 1000 + index);
        await out.push(row);
      }
      const { shape } = await out.finish();
      console.log(shape[0]);
    } catch (error) {
      if (!isNpyError(error) || error.code !== "ERR_WRITE_LOCKED") throw error;
      round--;
    }
  }
}

async function writeShards(folder: string): Promise<void> {
  for (let run = 1; ; run++) {
    const names = {
      features: join(folder, "features-{shard:03}.npy"),
      labels: join(folder, "labels-{shard:03}.npy"),
    };
    const out = createShardWriter(names, { maxRows: 200, overwrite: true });
    for (let batch = 0; batch < 5 + (run % 5); batch++) {
      const labels = BigInt64Array.from({ length: 97 }, (_, row) => BigInt(run * 100_000 + batch * 97 + row));
      const features = Array.from(labels, (label) => Array.from({ length: 8 }, () => Number(label)));
      await out.push({ features, labels });
    }
    await out.finish();
    console.log(run);
  }
}

async function tryToAppend(target: string): Promise<void> {
  if (process.getuid?.() === 0) process.setuid?.(65534);
  const out = createNpyWriteStream(target, { mode: "append" });
  try {
    await out.push([1, 2]);
    await out.finish();
    console.log("done");
  } catch (error) {
    const cause = isNpyError(error) ? error.cause : undefined;
    console.log(
      `${isNpyError(error) ? error.code : error} ${cause instanceof Error && "code" in cause ? cause.code : cause}`,
    );
  }
}
