import { isNpyError } from "@npystream/codec";
import { type Koffi, loadKoffi, type NativeFunction, type NativeLibrary } from "./koffi-library.ts";

/** Size and alignment of a huge page on the common platforms; elsewhere the advice reaches less and does no harm. */
const HUGE_PAGE_BYTES = 2n << 20n;
/** From <sys/mman.h> of Linux. */
const MADV_HUGEPAGE = 14;
/** From here on the advice is worth loading koffi for, which takes 20 ms. */
const WORTH_LOADING_BYTES = 16 << 20;
/** From here on it is worth a call. */
const WORTH_ASKING_BYTES = 4 << 20;

/** From <malloc.h> of glibc. */
const M_TRIM_THRESHOLD = -1;
const M_TOP_PAD = -2;
const M_MMAP_THRESHOLD = -3;
/** Allocations from here on are mapped and given back at once: the most that glibc rises to by itself. */
const MAPPED_BYTES = 32 << 20;
/** Free memory at the end of the heap that is kept: three times what the collector lets come together before it runs. */
const KEPT_BYTES = 192 << 20;
/** What the heap grows by, and keeps when it shrinks: address space that takes no memory before it is written to. */
const GROWTH_BYTES = 128 << 20;
/** Means of glibc's own to set the same. */
const OWN_SETTINGS = ["GLIBC_TUNABLES", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_THRESHOLD_"];

interface Advice {
  readonly koffi: Koffi;
  readonly library: NativeLibrary;
  readonly madvise: NativeFunction;
}

let advice: Advice | undefined | "unavailable";

/**
 * Asks for huge pages under large memory that is about to be filled: 2 MiB take one page fault in place of 512, which cost
 * more than the bytes themselves (256 MiB filled by reads: 650 faults in place of 65,600, 60 ms in place of 900 to 1,400 on
 * a virtual machine). NumPy asks for them too. Only Linux has the call, and without koffi nothing is asked.
 *
 * @param bytes - Not written to yet.
 */
export function askHugePages(bytes: Uint8Array): void {
  const worth = advice === undefined ? WORTH_LOADING_BYTES : WORTH_ASKING_BYTES;
  if (process.platform !== "linux" || bytes.length < worth) return;
  advice ??= loadAdvice();
  if (advice !== "unavailable") advise(advice, advice.koffi.address(bytes), BigInt(bytes.length));
}

/**
 * Lets glibc keep what is freed, and asks for huge pages under what it keeps. Whoever has set glibc's own means keeps them.
 *
 * @returns `false` without koffi, with another C library, and where somebody else has a say.
 */
export function keepFreedMemory(): boolean {
  if (process.platform !== "linux" || OWN_SETTINGS.some((name) => process.env[name] !== undefined)) return false;
  advice ??= loadAdvice();
  if (advice === "unavailable") return false;
  let mallopt: NativeFunction;
  let sbrk: NativeFunction;
  try {
    mallopt = advice.library.func("mallopt", "int", ["int", "int"]);
    sbrk = advice.library.func("sbrk", "void *", ["intptr_t"]);
  } catch {
    // musl has no such call.
    return false;
  }
  mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES);
  mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
  mallopt(M_TOP_PAD, GROWTH_BYTES);
  // Makes the heap grow, so that the advice reaches what comes next.
  const first = advice.koffi.address(Buffer.allocUnsafeSlow(WORTH_ASKING_BYTES));
  const end = sbrk(0) as bigint;
  // Another thread's memory is no part of the heap.
  if (first < end && end - first < BigInt(2 * GROWTH_BYTES)) advise(advice, first, end - first);
  return true;
}

function advise({ madvise }: Advice, start: bigint, byteLength: bigint): void {
  const first = ((start + HUGE_PAGE_BYTES - 1n) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  const last = ((start + byteLength) / HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES;
  // A kernel without huge pages refuses, and then the pages are ordinary ones.
  if (last > first) madvise(first, Number(last - first), MADV_HUGEPAGE);
}

function loadAdvice(): Advice | "unavailable" {
  try {
    const koffi = loadKoffi();
    const library = koffi.load(null);
    return { koffi, library, madvise: library.func("madvise", "int", ["void *", "size_t", "int"]) };
  } catch (error) {
    if (isNpyError(error) && error.code === "ERR_MAP_UNAVAILABLE") return "unavailable";
    throw error;
  }
}
