import { type Corpus, pickFile } from "./corpus.ts";
import { mutateBytes, splice } from "./mutate-bytes.ts";
import { mutateHeader } from "./mutate-npy.ts";
import { mutateRecords, wrapInArchive } from "./mutate-zip.ts";
import { Random } from "./random.ts";

/** Longest input: what repeats itself by splices shows nothing more. */
const MAX_BYTES = 3 << 20;

/** Makes input number `index` of the run `seed`: the short fixtures as they are first, then fixtures with something changed. */
export function makeInput(corpus: Corpus, seed: number, index: number): Uint8Array {
  const whole = corpus.small[index];
  if (whole !== undefined) return whole;
  const random = new Random(seed, index);
  let bytes = pickFile(corpus, random);
  const isArchive = bytes[0] === 0x50;
  if (!isArchive && random.oneIn(5)) bytes = wrapInArchive(mutateHeader(bytes, random), random);
  for (let i = random.below(random.oneIn(4) ? 6 : 2); i >= 0; i--) bytes = mutate(bytes, corpus, random);
  return bytes.subarray(0, MAX_BYTES);
}

function mutate(bytes: Uint8Array, corpus: Corpus, random: Random): Uint8Array {
  if (random.oneIn(10)) return splice(bytes, pickFile(corpus, random), random);
  if (random.oneIn(3)) return mutateBytes(bytes, random);
  const isArchive = bytes[0] === 0x50;
  return isArchive ? mutateRecords(bytes, random) : mutateHeader(bytes, random);
}
