import { Readable } from "node:stream";
import test from "ava";
import { decodeUtf8, textLines } from "../src/utf8-text.ts";

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function joined(pieces: AsyncIterable<string>, between = ""): Promise<string> {
  return (await Readable.from(pieces).toArray()).join(between);
}

test("text is decoded wherever it is cut, without the mark in front of it", async (t) => {
  const text = "a\n日本\r\n😀\u2028é\n";
  const bytes = Buffer.from(`\ufeff${text}`);
  for (let size = 1; size <= bytes.length; size++) {
    t.is(await joined(decodeUtf8(cut(bytes, size))), text, `${size}`);
    t.is(await joined(textLines(decodeUtf8(cut(bytes, size))), "|"), "a|日本\r|😀\u2028é", `${size}`);
  }
});

test("bytes that are no UTF-8 are ERR_TEXT_PARSE with their line, and not made into other characters", async (t) => {
  for (const [bytes, line] of [
    [Buffer.from("é\né\nx\xe9\n", "latin1"), 1],
    [Buffer.concat([Buffer.from("日本\nb\n"), Buffer.of(0x78, 0xe9, 0x0a)]), 3],
    [Buffer.concat([Buffer.from("a\n日"), Buffer.of(0xe6, 0x97)]), 2],
  ] as const) {
    for (let size = 1; size <= bytes.length; size++) {
      const message = new RegExp(`^line ${line}: .*UTF-8`);
      await t.throwsAsync(joined(decodeUtf8(cut(bytes, size))), { code: "ERR_TEXT_PARSE", message }, `${size}`);
    }
  }
});
