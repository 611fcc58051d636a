import { isNpyError } from "@npystream/codec";
import { type Koffi, loadKoffi, type NativeFunction } from "./koffi-library.ts";

/** Size and alignment of a huge page on the common platforms; elsewhere the advice reaches less and does no harm. */
const HUGE_PAGE_BYTES = 2n << 20n;
/** From <sys/mman.h> of Linux. */
const MADV_HUGEPAGE = 14;
/** From here on the advice is worth loading koffi for. */
const WORTH_BYTES = 32 << 20;

interface Advice {
  readonly koffi: Koffi;
  readonly madvise: NativeFunction;
}

let advice: Advice | undefined | "unavailable";

/**
 * Asks for huge pages under large memory that is about to be filled: 2 MiB take one page fault in place of 512, which cost
 * more than the bytes themselves (256 MiB filled by reads: 800 faults in place of 65,700). NumPy asks for them too. Only
 * Linux has the call, and without koffi nothing is asked.
 *
 * @param bytes - Not written to yet.
 */
export function askHugePages(bytes: Uint8Array): void {
  if (process.platform !== "linux" || bytes.length < WORTH_BYTES) return;
  advice ??= loadAdvice();
  if (advice === "unavailable") return;
  const start = advice.koffi.address(bytes);
  const first = ((start + HUGE_PAGE_BYTES - 1n) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const last = ((start + BigInt(bytes.length)) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  // A kernel without huge pages refuses, and then the pages are ordinary ones.
  if (last > first) advice.madvise(first, Number(last - first), MADV_HUGEPAGE);
}

function loadAdvice(): Advice | "unavailable" {
  try {
    const koffi = loadKoffi();
    return { koffi, madvise: koffi.load(null).func("madvise", "int", ["void *", "size_t", "int"]) };
  } catch (error) {
    if (isNpyError(error) && error.code === "ERR_MAP_UNAVAILABLE") return "unavailable";
    throw error;
  }
}
