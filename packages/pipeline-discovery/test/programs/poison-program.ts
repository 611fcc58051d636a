/**
 * Takes a set, opens one of its arrays, and dies of it.
 *
 *     poison-program.ts ROOT LEDGER
 */
import { discover } from "../../src/index.ts";
import { pairNames, pairSets } from "../helpers/incoming.ts";

const [roots = "", ledger = ""] = process.argv.slice(2);
for await (const set of discover({ roots, names: pairNames, sets: pairSets, ledger })) {
  await using _ = await set.arrays.features.open();
  process.kill(process.pid, "SIGKILL");
}
