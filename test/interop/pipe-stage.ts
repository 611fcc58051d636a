/** The middle of `python | node | python`: doubles what comes in. `pipe-stage.ts [rows]`; see pipes.test.ts. */
import { pipeline } from "node:stream/promises";
import { isNpyError, NdArray } from "@npystream/codec";
import { createNpyReadStream, rebatch, stage } from "@npystream/reader-stream";
import { createNpyWriteStream, streamSink } from "@npystream/writer-stream";

const rows = process.argv[2] === undefined ? undefined : Number(process.argv[2]);
const doubled = stage((chunk) =>
  NdArray.from(
    chunk.astype("float32").data.map((value) => 2 * value),
    chunk.shape,
  ),
);
const out = createNpyWriteStream(streamSink(process.stdout), rows === undefined ? { framing: "sequence" } : { rows });
try {
  await pipeline(process.stdin, createNpyReadStream({ as: "float32" }), rebatch(1000), doubled, out);
} catch (error) {
  process.stderr.write(JSON.stringify({ code: isNpyError(error) ? error.code : String(error) }));
  process.exitCode = 1;
}
