/**
 * Bytes of the kernel's memory that input is put in, from 0 on; all but swaps write as many behind them. Measured
 * with swaps of 1 MiB: 17 GB/s in pieces of 16 KiB, 19 of 32 and 64, all of which the second-level cache holds.
 */
const KERNEL_BYTES = 65_536;

/** A loop over the first `byteLength` bytes of the input; gives what it found, if it looks for something. */
type Loop = (byteLength: number, signBit: number) => number | undefined;

/** Loops over the kernel's own memory. Bytes go in and out by copies, which the vectors of 16 bytes make up for. */
export interface SimdKernel {
  /** The input: 64 KiB. */
  readonly input: Uint8Array;
  /** What all but the swaps make: 64 KiB. */
  readonly output: Uint8Array;
  /** Reverses every 2 bytes of the input, in place. */
  readonly swap2: Loop;
  /** Reverses every 4 bytes of the input, in place. */
  readonly swap4: Loop;
  /** Reverses every 8 bytes of the input, in place. */
  readonly swap8: Loop;
  /** Converts float16 in the input, half of it at most, to float32, both little-endian. */
  readonly widen: Loop;
  /** Converts float32 in the input to float16, ties to even, both little-endian. */
  readonly narrow: Loop;
  /** Converts little-endian int64, or uint64 with its `signBit`, to int32; 1 where one may be too large. */
  readonly toInt32: Loop;
  /** Converts little-endian int64, or uint64 with its `signBit`, to float64; 1 where one may be 2^52 or more. */
  readonly toFloat64: Loop;
}

/** Names of the loops. */
type KernelLoop = Exclude<keyof SimdKernel, "input" | "output">;

/** The part of WebAssembly that is used: codec compiles without the types of any runtime. */
interface Compiler {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** What the module exports: see simd-kernel.wat, of which the bytes below are made. */
type Exports = Omit<SimdKernel, "input" | "output"> & { readonly memory: { readonly buffer: ArrayBuffer } };

/** The module in base64: 1,465 bytes. */
export const MODULE: string = [
  "AGFzbQEAAAABCwJgAX8AYAJ/fwF/AwgHAAAAAAABAQUDAQACB0kIBm1lbW9yeQIABXN3YXAyAAAFc3dhcDQAAQVzd2FwOAACBXdpZGVuAAMGbmFy",
  "cm93AAQHdG9JbnQzMgAFCXRvRmxvYXQ2NAAGCscKB5QBAQF/A0AgASAB/QAEAP0MAQADAgUEBwYJCAsKDQwPDv0O/QsEACABIAH9AAQQ/QwBAAMC",
  "BQQHBgkICwoNDA8O/Q79CwQQIAEgAf0ABCD9DAEAAwIFBAcGCQgLCg0MDw79Dv0LBCAgASAB/QAEMP0MAQADAgUEBwYJCAsKDQwPDv0O/QsEMCAB",
  "QcAAaiIBIABJDQALC5QBAQF/A0AgASAB/QAEAP0MAwIBAAcGBQQLCgkIDw4NDP0O/QsEACABIAH9AAQQ/QwDAgEABwYFBAsKCQgPDg0M/Q79CwQQ",
  "IAEgAf0ABCD9DAMCAQAHBgUECwoJCA8ODQz9Dv0LBCAgASAB/QAEMP0MAwIBAAcGBQQLCgkIDw4NDP0O/QsEMCABQcAAaiIBIABJDQALC5QBAQF/",
  "A0AgASAB/QAEAP0MBwYFBAMCAQAPDg0MCwoJCP0O/QsEACABIAH9AAQQ/QwHBgUEAwIBAA8ODQwLCgkI/Q79CwQQIAEgAf0ABCD9DAcGBQQDAgEA",
  "Dw4NDAsKCQj9Dv0LBCAgASAB/QAEMP0MBwYFBAMCAQAPDg0MCwoJCP0O/QsEMCABQcAAaiIBIABJDQALC4kCAgJ/C3tBgMD//wD9ESEHQYCAgMAD",
  "/REhCEGAgIAE/REhCUGAgIDEA/0RIQpB////+wD9ESELQYCAgPwH/REhDEGAgICAeP0RIQ1BgIAEIQIDQCAB/QAEACEDIAP9pwEhBCAEQQ39qwEg",
  "B/1OIQUgBSAI/a4BIQYgAiAGIAn9rgEgCv3lASAGIAUgCf05/VIgBSAL/TsgDP1O/VAgBCAN/U79UP0LBAAgA/2oASEEIARBDf2rASAH/U4hBSAF",
  "IAj9rgEhBiACIAYgCf2uASAK/eUBIAYgBSAJ/Tn9UiAFIAv9OyAM/U79UCAEIA39Tv1Q/QsEECACQSBqIQIgAUEQaiIBIABJDQALC84CAgJ/DntB",
  "/////wf9ESEHQYCAAv0RIQhBgPgB/REhCUGAgID8B/0RIQpBgAT9ESELQYCAgPgD/REhDEH/n4DAfP0RIQ1BAf0RIQ5BgICAxAP9ESEPQf/f/7sE",
  "/REhEEGAgAQhAgNAIAH9AAQAIQMgAyAH/U4hBCADQRD9rQEgCP1OIAkgBCAK/TsgC/1O/VAgBCAM/eQBIAz9sQEgBCAN/a4BIARBDf2tASAO/U79",
  "rgFBDf2tASAEIA/9Of1SIAQgEP07/VL9UCEFIAH9AAQQIQMgAyAH/U4hBCADQRD9rQEgCP1OIAkgBCAK/TsgC/1O/VAgBCAM/eQBIAz9sQEgBCAN",
  "/a4BIARBDf2tASAO/U79rgFBDf2tASAEIA/9Of1SIAQgEP07/VL9UCEGIAIgBSAG/YYB/QsEACACQRBqIQIgAUEgaiIBIABJDQALC40BAgJ/BHsg",
  "Af0RIQdBgIAEIQMDQCAC/QAEACAC/QAEEP0NAAECAwgJCgsQERITGBkaGyEEIAL9AAQAIAL9AAQQ/Q0EBQYHDA0ODxQVFhccHR4fIQUgAyAE/QsE",
  "ACAGIAQgB/1O/VAgBSAEQR/9rAH9Uf1QIQYgA0EQaiEDIAJBIGoiAiAASQ0ACyAG/VMLmAECAX8FeyAB/REhBkQAAAAAAADwQf0UIQcDQCAC/QAE",
  "ACEDIAMgA/0NBAUGBwwNDg8EBQYHDA0ODyEEIAIgBP3+ASAH/fIBIAMgA/0NAAECAwgJCgsAAQIDCAkKC/3/Af3wAf0LBICABCAFIAQgBv1O/VAg",
  "BCAEQR/9rAH9UUEU/a0B/VAhBSACQRBqIgIgAEkNAAsgBf1TCw==",
].join("");

let made: { readonly kernel: SimdKernel | undefined } | undefined;

/**
 * Gives the kernel, made when first asked for; `undefined` where the runtime has no WebAssembly with vectors or its
 * security policy forbids to compile.
 */
export function simdKernel(): SimdKernel | undefined {
  made ??= { kernel: makeKernel((globalThis as { WebAssembly?: Compiler }).WebAssembly) };
  return made.kernel;
}

/** Makes a kernel with a runtime's WebAssembly; `undefined` where it does not compile one. */
export function makeKernel(compiler: Compiler | undefined): SimdKernel | undefined {
  if (compiler === undefined) return undefined;
  try {
    const bytes = Uint8Array.from(atob(MODULE), (character) => character.charCodeAt(0));
    const { memory, ...loops } = new compiler.Instance(new compiler.Module(bytes)).exports as Exports;
    const input = new Uint8Array(memory.buffer, 0, KERNEL_BYTES);
    return { ...loops, input, output: new Uint8Array(memory.buffer, KERNEL_BYTES, KERNEL_BYTES) };
  } catch {
    // A policy without 'wasm-unsafe-eval', or a runtime from before vectors: the plain loops do the same.
    return undefined;
  }
}

/** Bytes that a loop makes of one. */
const RATIOS: Readonly<Record<KernelLoop, number>> = {
  swap2: 1,
  swap4: 1,
  swap8: 1,
  widen: 2,
  narrow: 0.5,
  toInt32: 0.5,
  toFloat64: 1,
};

/**
 * Runs a loop over all of `source` and puts what it makes into `target`, piece by piece.
 *
 * @param target - As long as `source` times what the loop makes of a byte; for a swap it may be `source`.
 * @param signBit - The highest bit of a word for uint64, else 0.
 * @returns 0, or 1 where the loop found something in any piece.
 */
export function runKernel(
  kernel: SimdKernel,
  loop: KernelLoop,
  source: Uint8Array,
  target: Uint8Array,
  signBit = 0,
): number {
  const { input } = kernel;
  const output = loop === "swap2" || loop === "swap4" || loop === "swap8" ? input : kernel.output;
  const ratio = RATIOS[loop];
  const pieceBytes = KERNEL_BYTES / Math.max(1, ratio);
  let found = 0;
  for (let start = 0; start < source.length; start += pieceBytes) {
    const piece = source.subarray(start, start + pieceBytes);
    input.set(piece);
    found |= kernel[loop](piece.length, signBit) ?? 0;
    const bytes = piece.length * ratio;
    target.set(bytes === output.length ? output : output.subarray(0, bytes), start * ratio);
  }
  return found;
}
