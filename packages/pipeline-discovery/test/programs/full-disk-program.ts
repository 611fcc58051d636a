/**
 * Runs a stage whose results and ledger lie on one small disk, which is filled to its last byte when some sets are done, and
 * emptied again when both have failed for want of room. Then moves the results to a folder, and says in JSON what came of it.
 *
 *     full-disk-program.ts ROOT DISK RESULTS
 */
import { appendFileSync, cpSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Logger, NdArray } from "@npystream/codec";
import { discover, openLedger, runStage } from "../../src/index.ts";
import { pairNames, pairSets } from "../helpers/incoming.ts";

const [root = "", disk = "", results = ""] = process.argv.slice(2);
const [ledger, out, filler] = [join(disk, "state", "ledger.db"), join(disk, "out"), join(disk, "filler")];
const warnings: string[] = [];
let noRoomForResults = 0;
const note = (fields: object, message = ""): void => {
  warnings.push(message);
  const { err } = fields as { readonly err?: { readonly code?: unknown } };
  noRoomForResults += message.startsWith("an attempt") && err?.code === "ERR_WRITE_NO_SPACE" ? 1 : 0;
};
const nothing = (): void => undefined;
const logger: Logger = { debug: nothing, info: nothing, warn: note, error: note };
const isLedgerStuck = (): boolean => warnings.includes("the ledger cannot be written now; it is tried again");

const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, ledger, logger });
let doneWhileFull = 0;

async function fillUp(): Promise<void> {
  while (found.stats().done < 10) await sleep(1);
  writeFileSync(filler, "");
  while (!(isLedgerStuck() && noRoomForResults > 0)) {
    await fillFor(1);
  }
  // What fails gives its room back, until nobody has any.
  await fillFor(500);
  const before = found.stats().done;
  await fillFor(500);
  doneWhileFull = found.stats().done - before;
  rmSync(filler);
}

async function fillFor(milliseconds: number): Promise<void> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await sleep(5)) {
    for (let size = 1 << 20; size >= 1; ) {
      try {
        appendFileSync(filler, Buffer.alloc(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  }
}

const filling = fillUp();
const counts = await runStage(
  found,
  async (set, { commit }) => {
    await using features = await set.arrays.features.open();
    const { data, shape } = await features.read();
    await commit(pairNames, { ...set.fields, role: "doubled" }, async (stream) => {
      await stream.push(new NdArray({ dtype: "float32", shape, data: data.map((value) => value * 2) }));
    });
  },
  { concurrency: 3, out, retry: { attempts: 1000, baseMs: 20, maxMs: 100 }, logger },
);
await filling;
await using opened = await openLedger(ledger);
const deliveries = [...opened.find()].map((entry) => entry.deliveries);
cpSync(out, results, { recursive: true });
const repeated = deliveries.filter((count) => count > 1).length;
const stuckWarnings = warnings.filter((warning) => warning.startsWith("the ledger")).length;
console.log(
  JSON.stringify({ ...counts, ledger: opened.count(), repeated, doneWhileFull, stuckWarnings, noRoomForResults }),
);
