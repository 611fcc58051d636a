import { createRequire } from "node:module";
import { NpyError } from "@npystream/codec";

/** A C function; a pointer is a bigint on both sides, `null` where it is NULL. */
export type NativeFunction = (...args: readonly unknown[]) => unknown;

/** What is used of a shared library that koffi has loaded. */
export interface NativeLibrary {
  /** Declares one of its functions by C types. */
  func(name: string, result: string, args: readonly string[]): NativeFunction;
}

/** What is used of koffi, which may not be installed: its own types cannot be imported by ours. */
export interface Koffi {
  /** Loads a shared library; `null` is the C library that the process has. */
  load(path: string | null): NativeLibrary;
  /** Shows memory as an `ArrayBuffer` without a copy. */
  view(address: bigint, byteLength: number): ArrayBuffer;
  /** Address of the first byte of memory. */
  address(bytes: Uint8Array): bigint;
  /** Error number of the last call. */
  errno(): number;
}

/**
 * Loads koffi when a mapping is first asked for, so that everything else works without it. A failure is not remembered.
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE` where it is not installed or has no binary for this platform.
 */
export function loadKoffi(): Koffi {
  // Its binaries are for the ABI of the process; the calls of this package assume lengths and offsets of 64 bits.
  if (process.arch === "ia32" || process.arch === "arm") {
    throw new NpyError("ERR_MAP_UNAVAILABLE", `files are not mapped on ${process.arch}: openNpy reads them`);
  }
  try {
    // The shape is that of koffi 3.
    return createRequire(import.meta.url)("koffi") as Koffi;
  } catch (cause) {
    throw new NpyError(
      "ERR_MAP_UNAVAILABLE",
      "memory mapping needs the optional package koffi, which could not be loaded: run `npm install koffi`, or use openNpy, which reads",
      { cause },
    );
  }
}
