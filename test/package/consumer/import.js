// Run in a project that has the packed packages installed: writes with one and reads with another.
import { NdArray } from "@npystream/codec";
import * as discovery from "@npystream/pipeline-discovery";
import { openNpy } from "@npystream/reader-stream";
import { writeNpy } from "@npystream/writer-stream";
import manifest from "npystream/package.json" with { type: "json" };

await writeNpy("imported.npy", NdArray.from(Float32Array.of(1, 2, 3, 4), [2, 2]), { overwrite: true });
const file = await openNpy("imported.npy");
const array = await file.read();
await file.close();
console.log(
  JSON.stringify({
    values: array.toNested(),
    discovery: typeof discovery.discover,
    cli: manifest.name,
  }),
);
