/**
 * Opens a ledger, takes a set by it and waits to be killed.
 *
 *     ledger-holder.ts LEDGER
 */
import { openLedger } from "../../src/index.ts";

const ledger = await openLedger(process.argv[2] ?? "");
const id = "c".repeat(64);
const set = {
  pipeline: "p",
  key: "taken",
  root: "/in",
  generation: "d".repeat(64),
  fields: {},
  files: [],
  versions: [],
  isNew: false,
};
await ledger.commit({ id, state: "ready", reason: "", set });
await ledger.commit({ id, state: "claimed", reason: "" });
console.log("held");
setInterval(() => undefined, 1000);
