import { arrayBytes, decodeNpy, type NdArray, type NpyHeader, NpyParser } from "@npystream/codec";
import { type ArrayHandle, openNpy } from "@npystream/reader-stream";
import { Finding, outcomeOf } from "./outcome.ts";
import type { Random } from "./random.ts";

/** An array as every decoder must give it: its type, its shape, and its bytes in C order and the machine's byte order. */
export interface Decoded {
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

/** Longest array whose elements are looked at one by one. */
const MAX_ELEMENTS = 200;

/**
 * Decodes an input as a `.npy` in every way there is, and compares what comes out.
 *
 * @throws Finding where two do not agree, and those of `outcomeOf`.
 */
export async function checkNpy(bytes: Uint8Array, random: Random): Promise<void> {
  const { length } = bytes;
  const whole = await outcomeOf("decodeNpy", length, () => described(decodeNpy(bytes)));
  const strict = await outcomeOf("decodeNpy, strict,", length, () => described(decodeNpy(bytes, { strict: true })));
  if (strict.code !== whole.code && strict.code !== "ERR_NPY_TRAILING") {
    throw new Finding(
      `decodeNpy gives ${whole.code ?? "an array"}, and ${strict.code ?? "an array"} where it is strict`,
    );
  }
  const parsed = await outcomeOf("NpyParser", length, () => parse(bytes, random));
  agree("decodeNpy", whole.value, "NpyParser", parsed.value, parsed.code);
  const source = random.oneIn(16) ? new Blob([bytes]) : bytes;
  const read = await outcomeOf("openNpy", length, () => readHandle(openNpy(source), random));
  agree("decodeNpy", whole.value, "openNpy", read.value, read.code);
  if (read.code !== whole.code) throw new Finding(`decodeNpy gives ${whole.code}, openNpy ${read.code}`);
}

/** Reads an array in one of the ways that a handle has, closes it and looks at the elements. */
export async function readHandle(opening: Promise<ArrayHandle>, random: Random): Promise<Decoded> {
  await using handle = await opening;
  const { shape, type } = handle;
  if (random.oneIn(2)) return described(await handle.read());
  const pieces: Uint8Array[] = [];
  for await (const chunk of handle.stream({ chunkBytes: random.pick([1 << 12, 1 << 16, 1 << 20]) })) {
    pieces.push(arrayBytes(chunk));
  }
  return { type: JSON.stringify(type.descr), shape, bytes: Buffer.concat(pieces) };
}

/** What there is to compare of an array; its elements can be had as values. */
export function described(array: NdArray): Decoded {
  if (array.size > 0 && array.size <= MAX_ELEMENTS && array.byteLength < 1 << 16) array.toNested();
  return { type: JSON.stringify(array.type.descr), shape: array.shape, bytes: Buffer.from(arrayBytes(array)) };
}

/** @throws Finding where one gives an array that the other does not give. */
export function agree(
  one: string,
  first: Decoded | undefined,
  other: string,
  second: Decoded | undefined,
  code = "nothing",
): void {
  if (first === undefined && second === undefined) return;
  if (first === undefined) throw new Finding(`${other} gives an array where ${one} refuses`);
  if (second === undefined) throw new Finding(`${one} gives an array where ${other} gives ${code}`);
  if (first.type !== second.type) throw new Finding(`${one} gives ${first.type}, ${other} ${second.type}`);
  if (first.shape.join() !== second.shape.join()) {
    throw new Finding(`${one} gives the shape ${first.shape.join()}, ${other} ${second.shape.join()}`);
  }
  if (!first.bytes.equals(second.bytes)) throw new Finding(`${one} and ${other} give different elements`);
}

/** The first array that the parser finds; what follows it is parsed too. */
function parse(bytes: Uint8Array, random: Random): Decoded {
  const parser = new NpyParser({ chunkBytes: random.pick([1 << 10, 1 << 12, 1 << 20]) });
  const pieces: Uint8Array[] = [];
  let header: NpyHeader | undefined;
  let isWhole = false;
  try {
    for (const piece of split(bytes, random)) {
      for (const part of parser.push(piece)) {
        if (part.index > 0) continue;
        if (part.kind === "header") header = part.header;
        else if (part.kind === "rows") pieces.push(arrayBytes(part.rows));
        else isWhole = true;
      }
      // The caller may use the bytes it pushed again.
      piece.fill(0xa5);
    }
    if (!isWhole) parser.finish();
  } catch (error) {
    // Bytes behind the first array are none of decodeNpy's business.
    if (!isWhole) throw error;
  }
  if (header === undefined) throw new Finding("NpyParser ends an array that it did not begin");
  return { type: JSON.stringify(header.type.descr), shape: header.shape, bytes: Buffer.concat(pieces) };
}

function split(bytes: Uint8Array, random: Random): Uint8Array[] {
  const longest = random.pick([1, 16, 300, 5000, bytes.length]) + Math.floor(bytes.length / 1000);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.below(longest);
    pieces.push(bytes.slice(at, at + length));
    at += length;
  }
  return pieces;
}
