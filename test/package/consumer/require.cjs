// Run in a project that has the packed packages installed: require() of ES modules, Node 20.19 or newer.
const { NdArray, decodeNpy, encodeNpy } = require("@npystream/codec");
const { openNpy } = require("@npystream/reader-stream");
const { writeNpy } = require("@npystream/writer-stream");
const { discover } = require("@npystream/pipeline-discovery");
const manifest = require("npystream/package.json");

const array = decodeNpy(encodeNpy(NdArray.from(Float32Array.of(1, 2, 3, 4), [2, 2])));
console.log(
  JSON.stringify({
    values: array.toNested(),
    functions: [openNpy, writeNpy, discover].map((value) => typeof value),
    cli: manifest.name,
  }),
);
