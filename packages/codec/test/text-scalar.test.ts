import { execFileSync } from "node:child_process";
import { decodeNpy, elementType, encodeNpy, fromNested, scalarAt, setScalar } from "@npystream/codec";
import test from "ava";

const texts = ["", "abc", "a\0b", "größe", "日本語", "😀🎉", "\0", "abc\0\0"];
const bytes = ["", "abc", "a\0b", "ÿ\x80", "\0x"];
const program = `
import io, json, sys
import numpy as np
def npy(a):
    f = io.BytesIO(); np.save(f, a); return f.getvalue().hex()
texts, raw = json.loads(sys.argv[1])
t = np.array(texts, 'U5')
s = np.array([r.encode('latin-1') for r in raw], 'S4')
print(json.dumps({'t': [npy(t), npy(t.astype('>U5')), t.tolist()], 's': [npy(s), [list(v) for v in s.tolist()]], 'v': npy(s.view('V4'))}))
`;
const numpy: { t: [string, string, string[]]; s: [string, number[][]]; v: string } = JSON.parse(
  execFileSync("python3", ["-c", program, JSON.stringify([texts, bytes])], { encoding: "utf8" }),
);
const decode = (hex: string): ReturnType<typeof decodeNpy> => decodeNpy(new Uint8Array(Buffer.from(hex, "hex")));

test("text is read as NumPy has it: without the NULs at its end, those inside kept, astral characters whole", (t) => {
  t.deepEqual(decode(numpy.t[0]).toNested() as unknown, numpy.t[2]);
  t.deepEqual(decode(numpy.t[1]).toNested() as unknown, numpy.t[2]);
});

test("text and bytes are written as NumPy writes them", (t) => {
  t.is(Buffer.from(encodeNpy(fromNested(texts, "U5"))).toString("hex"), numpy.t[0]);
  t.is(Buffer.from(encodeNpy(fromNested(bytes, "S4"))).toString("hex"), numpy.s[0]);
});

test("bytes are read without the NULs at their end, void with them, both as views", (t) => {
  const array = decode(numpy.s[0]);
  t.deepEqual(
    (array.toNested() as Uint8Array[]).map((value) => [...value]),
    numpy.s[1],
  );
  t.is((array.get(1) as Uint8Array).buffer, array.data.buffer);
  const raw = decode(numpy.v);
  t.deepEqual(raw.get(1) as unknown, Uint8Array.of(97, 98, 99, 0));
  t.is((raw.get(1) as Uint8Array).buffer, raw.data.buffer);
});

test("what is shorter than the element takes NULs, what was there before is gone", (t) => {
  const type = elementType("U3");
  const data = Uint32Array.of(97, 98, 99);
  setScalar(type, data as never, 0, "x");
  t.deepEqual(data, Uint32Array.of(120, 0, 0));
  const raw = Uint8Array.of(1, 2, 3);
  setScalar(elementType("S3"), raw as never, 0, Uint8Array.of(9));
  t.deepEqual(raw, Uint8Array.of(9, 0, 0));
});

test("a code that is no character is U+FFFD", (t) => {
  t.is(scalarAt(elementType("U2"), Uint32Array.of(0x110000, 97) as never, 0) as unknown, "\ufffda");
});

const refuses = test.macro({
  title: (_, value: unknown, type: string) => `${String(value)} is no element of ${type}`,
  exec(t, value: unknown, type: string, expectation: { instanceOf: ErrorConstructor; message: RegExp }) {
    t.throws(() => fromNested(value as never, type), expectation);
  },
});
test(refuses, "abcd", "U3", { instanceOf: RangeError, message: /holds 3 characters, not 4/ });
test(refuses, 7, "U3", { instanceOf: TypeError, message: /a string, not number/ });
test(refuses, "abcd", "S3", { instanceOf: RangeError, message: /holds 3 bytes, not 4/ });
test(refuses, "π", "S3", { instanceOf: RangeError, message: /latin-1/ });
test(refuses, 7, "S3", { instanceOf: TypeError, message: /not number/ });
