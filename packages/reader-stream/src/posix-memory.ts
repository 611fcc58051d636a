import { getSystemErrorName } from "node:util";
import type { Koffi, NativeFunction } from "./koffi-library.ts";
import {
  MAP_ALIGNMENT,
  type MapAdvice,
  type MappedMemory,
  type MemoryCalls,
  systemCallError,
} from "./mapped-memory.ts";

/** Constants of `<sys/mman.h>`: the same on every system are these. */
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
/** MAP_FAILED is -1 as a pointer. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** And these are not. */
interface SystemConstants {
  /** Reserves no memory for pages that may be written, or a file larger than the memory is refused. */
  readonly mapNoReserve: number;
  readonly msyncWait: number;
}

const CONSTANTS: Readonly<Record<string, SystemConstants>> = {
  linux: { mapNoReserve: 0x4000, msyncWait: 4 },
  android: { mapNoReserve: 0x4000, msyncWait: 4 },
  darwin: { mapNoReserve: 0x40, msyncWait: 0x10 },
  // FreeBSD never reserves, and took the flag out.
  freebsd: { mapNoReserve: 0, msyncWait: 0 },
};

const ADVICE: Readonly<Record<MapAdvice, number>> = { normal: 0, random: 1, sequential: 2, willneed: 3 };

/** Gives the calls of a POSIX system; undefined for one whose constants are not known. */
export function posixMemory(koffi: Koffi, platform: string = process.platform): MemoryCalls | undefined {
  const constants = CONSTANTS[platform];
  return constants && new PosixMemory(koffi, constants);
}

class PosixMemory implements MemoryCalls {
  readonly #koffi: Koffi;
  readonly #constants: SystemConstants;
  readonly #mmap: NativeFunction;
  readonly #munmap: NativeFunction;
  readonly #madvise: NativeFunction;
  readonly #msync: NativeFunction;

  constructor(koffi: Koffi, constants: SystemConstants) {
    const library = koffi.load(null);
    this.#koffi = koffi;
    this.#constants = constants;
    this.#mmap = library.func("mmap", "void *", ["void *", "size_t", "int", "int", "int", "int64_t"]);
    this.#munmap = library.func("munmap", "int", ["void *", "size_t"]);
    this.#madvise = library.func("madvise", "int", ["void *", "size_t", "int"]);
    this.#msync = library.func("msync", "int", ["void *", "size_t", "int"]);
  }

  map({ fd, path, byteLength, mode }: Parameters<MemoryCalls["map"]>[0]): MappedMemory {
    const flags = mode === "r+" ? MAP_SHARED : MAP_PRIVATE | this.#constants.mapNoReserve;
    // koffi gives pointers as bigint.
    const address = this.#mmap(null, byteLength, PROT_READ_WRITE, flags, fd, 0) as bigint | null;
    if (address === null || address === MAP_FAILED) throw this.#error("mmap", path);
    return { address, byteLength, mode };
  }

  unmap({ address, byteLength }: MappedMemory): void {
    if (this.#munmap(address, byteLength) !== 0) throw this.#error("munmap");
  }

  flush({ address, byteLength }: MappedMemory): void {
    if (this.#msync(address, byteLength, this.#constants.msyncWait) !== 0) throw this.#error("msync");
  }

  advise({ address }: MappedMemory, position: number, byteLength: number, advice: MapAdvice): void {
    const start = position - (position % MAP_ALIGNMENT);
    const result = this.#madvise(address + BigInt(start), position + byteLength - start, ADVICE[advice]);
    if (result !== 0) throw this.#error("madvise");
  }

  #error(call: string, path?: string): Error {
    const errno = this.#koffi.errno();
    return systemCallError(call, errno > 0 ? getSystemErrorName(-errno) : "UNKNOWN", errno, path);
  }
}
