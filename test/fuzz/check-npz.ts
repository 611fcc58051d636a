import { decodeNpz, memberArrayName, type NdArray } from "@npystream/codec";
import { openNpz } from "@npystream/reader-stream";
import { agree, described, readHandle } from "./check-npy.ts";
import { Finding, outcomeOf } from "./outcome.ts";
import type { Random } from "./random.ts";

/** An inflater leaves pieces of what it inflates to the collector; a size that is only claimed may be 1032 times the input's. */
const GARBAGE_FACTOR = 64;
/** Members that are opened at most: a directory may have thousands. */
const MAX_MEMBERS = 20;

/**
 * Decodes an input as an `.npz` with codec and with reader-stream, and compares the arrays that both give.
 *
 * @throws Finding where they do not agree, and those of `outcomeOf`.
 */
export async function checkNpz(bytes: Uint8Array, random: Random): Promise<void> {
  const warranted = GARBAGE_FACTOR * bytes.length;
  const whole = await outcomeOf("decodeNpz", warranted, () => decodeNpz(bytes));
  const arrays: Readonly<Record<string, NdArray>> = whole.value ?? {};
  const source = random.oneIn(16) ? new Blob([bytes]) : bytes;
  const opened = await outcomeOf("openNpz", warranted, () => openNpz(source));
  if (opened.value === undefined) {
    if (whole.code !== opened.code)
      throw new Finding(`decodeNpz gives ${whole.code ?? "arrays"}, openNpz ${opened.code}`);
    return;
  }
  await using archive = opened.value;
  for (const { name } of archive.members.slice(0, MAX_MEMBERS)) {
    const read = await outcomeOf("NpzArchive.open", warranted, () => readHandle(archive.open(name), random));
    const array = arrays[memberArrayName(name)];
    const isDecoded = array !== undefined && read.code !== "ERR_NPY_MAGIC";
    if (isDecoded) agree("decodeNpz", described(array), "NpzArchive.open", read.value, read.code);
  }
}
