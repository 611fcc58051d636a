import { deflateRawSync } from "node:zlib";
import { decodeNpz, encodeZip, NdArray, npyPieces, portableEngine } from "@npystream/codec";
import test from "ava";
import { allocatedBytes } from "./counted-allocations.ts";

const MIB = 1 << 20;

/** A stream of this many bytes that inflates to zeros. */
const zeros = (byteLength: number): Uint8Array => new Uint8Array(deflateRawSync(new Uint8Array(byteLength)));
/** A stream that ends at once, and bytes behind it. */
const empty = (compressed: number): Uint8Array => Uint8Array.from({ length: compressed }, (_, i) => (i === 0 ? 3 : 0));
/** Values from 0 to 3 without a pattern, which deflate packs about four times. */
const values = new Uint8Array(24 * MIB);
for (let i = 0, state = 1; i < values.length; i++) {
  state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
  values[i] = state >>> 30;
}

const lies = test.macro({
  title: (_, what: string) => `a stream that claims ${what} is ERR_NPZ_SIZE, for its size and 16 MiB of memory at most`,
  exec(t, _what: string, bytes: Uint8Array, byteLength: number) {
    const allocated = allocatedBytes(() => {
      t.throws(() => portableEngine.inflate(bytes, byteLength), { code: "ERR_NPZ_SIZE" });
    });
    t.true(allocated <= bytes.length + 16 * MIB, `${allocated} bytes for a stream of ${bytes.length}`);
  },
});
test(lies, "60 MiB and holds nothing", empty(64 << 10), 60 * MIB);
test(lies, "60 MiB and holds a byte less", zeros(60 * MIB - 1), 60 * MIB);
test(lies, "60 MiB and holds a byte more", zeros(60 * MIB + 1), 60 * MIB);
test(lies, "60 MiB and holds a part more", zeros(61 * MIB), 60 * MIB);
test(lies, "all that deflate can and holds nothing", empty(MIB), 1032 * MIB);
test(lies, "seven times its size and holds nothing", empty(3 * MIB), 21 * MIB);
test(lies, "10 MiB and holds 9", zeros(9 * MIB), 10 * MIB);
test(lies, "a byte and holds 60 MiB", zeros(60 * MIB), 1);

const honest = test.macro({
  title: (_, what: string) => `a stream of ${what} is inflated with hardly more memory than its content takes`,
  exec(t, _what: string, content: Uint8Array) {
    const bytes = new Uint8Array(deflateRawSync(content, { level: 3 }));
    let inflated = new Uint8Array(0);
    const allocated = allocatedBytes(() => {
      inflated = portableEngine.inflate(bytes, content.length) as typeof inflated;
    });
    t.true(Buffer.from(inflated).equals(content));
    t.true(allocated - content.length < 400 << 10, `${allocated} bytes for a content of ${content.length}`);
  },
});
test(honest, "no bytes", new Uint8Array(0));
test(honest, "12 MiB of values", values.subarray(12 * MIB));
test(honest, "60 MiB of zeros", new Uint8Array(60 * MIB));

test("what is packed by a usual ratio gets its memory at once", (t) => {
  const bytes = new Uint8Array(deflateRawSync(values, { level: 3 }));
  t.true(bytes.length + 16 * MIB < values.length && values.length < 8 * bytes.length, `${bytes.length} bytes`);
  t.true(Buffer.from(portableEngine.inflate(bytes, values.length)).equals(values));
});

test("an archive of 64 KiB whose headers all claim 60 MiB is refused for its size and 16 MiB of memory at most", (t) => {
  const content = npyPieces(NdArray.zeros("float32", [15 * MIB - 32]));
  const stream = new Uint8Array(64 << 10);
  stream.set(deflateRawSync(content[0]));
  const archive = Buffer.concat(encodeZip([{ name: "x.npy", content, deflated: [stream] }], { compress: true }));
  const allocated = allocatedBytes(() => {
    t.throws(() => decodeNpz(archive), {
      code: "ERR_NPZ_SIZE",
      message: /declares 62914560 bytes and inflates to 128/,
    });
  });
  t.true(allocated <= archive.length + 16 * MIB, `${allocated} bytes`);
});
