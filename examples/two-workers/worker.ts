/**
 * Works on sets of the queue until it is told to end. Run it on any machine that sees the files.
 *
 *     node examples/dist/two-workers/worker.js REDIS_URL INCOMING RESULTS
 */
import { work } from "@npystream/pipeline-discovery";
import { bullmqEngine } from "@npystream/pipeline-discovery/bullmq";
import { classMeans } from "./class-means.ts";
import { QUEUE } from "./convention.ts";

const [connection, incoming, results] = process.argv.slice(2);
if (connection === undefined || incoming === undefined || results === undefined) {
  console.error("usage: worker REDIS_URL INCOMING RESULTS");
  process.exit(2);
}
const { done, failed } = await work(bullmqEngine({ queue: QUEUE, connection }), classMeans, {
  roots: { in: incoming },
  out: results,
  concurrency: 2,
  stopOn: ["SIGTERM", "SIGINT"],
});
console.log(`worker ${process.pid}: ${done} sets done, ${failed} failed`);
