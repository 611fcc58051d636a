import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { RowEncoder } from "../src/row-encoder.ts";
import { ShardNames } from "../src/shard-names.ts";
import { ShardRowWriter } from "../src/shard-row-writer.ts";
import { resolveShardOptions } from "../src/shard-write-options.ts";

const folder = mkdtempSync(join(tmpdir(), "npystream-shard-rows-"));
test.after.always(() => rmSync(folder, { recursive: true }));

test("an abort while the manifest gets its name keeps the lock until it has it, or never will", async (t) => {
  const outcomes = new Set<boolean>();
  for (let turns = 0; turns < 30; turns++) {
    const place = join(folder, `${turns}`);
    mkdirSync(place);
    const names = new ShardNames(join(place, "x-{shard:02}.npy"));
    let isReleased = false;
    const lock = {
      release: async (): Promise<void> => {
        isReleased = true;
        t.deepEqual(
          readdirSync(place).filter((name) => name.endsWith(".partial")),
          [],
          `${turns}`,
        );
      },
    };
    const encoders = new Map([["x", new RowEncoder("int8", [])]]);
    const options = resolveShardOptions({ maxRows: 2 }, undefined);
    const onFailure = (): void => undefined;
    const writer = new ShardRowWriter({ names, options, encoders, isSingle: true, lock, onFailure });
    await writer.take(Int8Array.of(1))?.write();
    await writer.finish();
    const committed = writer.commit().then(
      () => true,
      () => false,
    );
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    await writer.abort();
    t.true(isReleased);
    const left = readdirSync(place);
    const isCommitted = await committed;
    outcomes.add(isCommitted);
    t.deepEqual(left, isCommitted ? ["x-00.npy", "x.manifest.json"] : ["x-00.npy"]);
    t.deepEqual(readdirSync(place), left);
  }
  t.true(outcomes.has(false));
});
