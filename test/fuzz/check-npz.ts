import { decodeNpz, memberArrayName, type NdArray, readInMemory, readZipDirectory } from "@npystream/codec";
import { openNpz } from "@npystream/reader-stream";
import { agree, type Decoded, described, readHandle } from "./check-npy.ts";
import { Finding, outcomeOf } from "./outcome.ts";
import type { Random } from "./random.ts";

/** Members that are opened at most: a directory may have thousands. */
const MAX_MEMBERS = 20;

/**
 * Decodes an input as an `.npz` with codec and with reader-stream, and compares the arrays that both give.
 *
 * @throws Finding where they do not agree, and those of `outcomeOf`.
 */
export async function checkNpz(bytes: Uint8Array, random: Random): Promise<void> {
  const whole = await outcomeOf("decodeNpz", bytes.length, () => decodeNpz(bytes), decodedBytes);
  const arrays: Readonly<Record<string, NdArray>> = whole.value ?? {};
  const source = random.oneIn(16) ? new Blob([bytes]) : bytes;
  const opened = await outcomeOf("openNpz", bytes.length, () => openNpz(source));
  if (opened.value === undefined) {
    if (whole.code !== opened.code)
      throw new Finding(`decodeNpz gives ${whole.code ?? "arrays"}, openNpz ${opened.code}`);
    return;
  }
  await using archive = opened.value;
  const directory = readInMemory(readZipDirectory(bytes.length), bytes);
  const tabled = new Set(directory.filter(({ blockTable }) => blockTable !== undefined).map(({ name }) => name));
  for (const { name } of archive.members.slice(0, MAX_MEMBERS)) {
    const read = await outcomeOf(
      "NpzArchive.open",
      bytes.length,
      () => readHandle(archive.open(name), random),
      handledBytes,
    );
    const array = arrays[memberArrayName(name)];
    // Only the reader goes by a table of blocks, which may lie about a member that inflates as a whole.
    const isLedAstray = tabled.has(name) && read.code?.startsWith("ERR_NPZ_");
    const isDecoded = array !== undefined && read.code !== "ERR_NPY_MAGIC" && !isLedAstray;
    if (isDecoded) agree("decodeNpz", described(array), "NpzArchive.open", read.value, read.code);
  }
}

/** What was read, and its bytes once more to be compared; a stream leaves its chunks to the collector. */
function handledBytes(decoded: Decoded): number {
  return 3 * decoded.bytes.length;
}

/** Arrays that are not aligned or in the other byte order are copies of what was inflated. */
function decodedBytes(arrays: Readonly<Record<string, NdArray>>): number {
  return Object.values(arrays).reduce((total, { byteLength }) => total + 2 * byteLength, 0);
}
