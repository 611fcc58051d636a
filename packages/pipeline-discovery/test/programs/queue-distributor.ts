/**
 * Publishes the pairs of a folder and waits until workers are done with all of them.
 *
 *     queue-distributor.ts OPTIONS
 */
import { bullmqEngine } from "../../src/bullmq.ts";
import { discover, distribute } from "../../src/index.ts";
import { pairNames, pairSets } from "../helpers/incoming.ts";
import type { QueueProgramOptions } from "./queue-options.ts";

const { engine, root, ledger, maxPublished = 1000 } = JSON.parse(process.argv[2] ?? "") as QueueProgramOptions;
const remembered = ledger === undefined ? {} : { ledger };
const found = discover({ roots: root, names: pairNames, sets: pairSets, once: true, ...remembered });
const result = await distribute(found, bullmqEngine(engine), { maxPublished, stopOn: ["SIGTERM"] });
console.log(JSON.stringify(result));
