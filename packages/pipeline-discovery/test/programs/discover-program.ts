/**
 * Takes sets from a folder until so many have come, and says what happens in lines of JSON: `{ set }` for each, `{ warn }` for
 * each warning, `{ report }` and `{ quarantined }` for what is not delivered.
 *
 *     discover-program.ts ROOT TEMPLATE COUNT SWEEP_MS [USER]
 */
import type { Logger } from "@npystream/codec";
import { discover, nameTemplate } from "../../src/index.ts";
import { pairSets } from "../helpers/incoming.ts";

const [root = "", template = "", count = "1", sweepMs = "5000", user] = process.argv.slice(2);
if (user !== undefined) {
  process.setuid?.(Number(user));
}
let left = Number(count);
const say = (line: object): void => console.log(JSON.stringify(line));
const nothing = (): void => undefined;
const logger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (_fields, message) => say({ warn: message }),
  error: (_fields, message) => say({ warn: message }),
};
await using found = discover({
  roots: root,
  names: nameTemplate(template),
  sets: pairSets,
  sweepMs: Number(sweepMs),
  onIncomplete: { afterMs: 300, onReport: ({ key, reason }) => say({ report: `${key}: ${reason}` }) },
  onQuarantine: ({ key, reason }) => say({ quarantined: `${key}: ${reason}` }),
  logger,
});
for await (const set of found) {
  await set.verify();
  await set.ack();
  say({ set: set.key });
  left -= 1;
  if (left === 0) {
    break;
  }
}
