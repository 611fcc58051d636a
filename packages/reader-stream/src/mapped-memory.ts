/** Private and copy-on-write, or writing through to the file, as NumPy's `mmap_mode` has them. */
export type MapMode = "c" | "r+";

/** How the system should expect a mapping to be read. */
export type MapAdvice = "normal" | "random" | "sequential" | "willneed";

/** A file to map from its start. */
export interface MapRequest {
  /** Its open descriptor, which may be closed once the file is mapped. */
  readonly fd: number;
  /** Its path, by which Windows opens it once more. */
  readonly path: string;
  /** Bytes to map, from 1. */
  readonly byteLength: number;
  readonly mode: MapMode;
}

/** Memory that shows a file. */
export interface MappedMemory {
  readonly address: bigint;
  readonly byteLength: number;
  readonly mode: MapMode;
  /** Windows flushes through the file, which stays open as long as the mapping. */
  readonly file?: unknown;
}

/** The calls of one operating system. What the system refuses is thrown as its own error. */
export interface MemoryCalls {
  map(request: MapRequest): MappedMemory;
  unmap(memory: MappedMemory): void;
  /** Writes changed pages to the disk and waits for it. */
  flush(memory: MappedMemory): void;
  /** Passes advice on, where the system takes any. */
  advise(memory: MappedMemory, position: number, byteLength: number, advice: MapAdvice): void;
}

/** Mappings begin at multiples of this, and advice is given by it: a multiple of every page size from 4 to 64 KiB. */
export const MAP_ALIGNMENT: number = 64 << 10;

const ADVICE: readonly MapAdvice[] = ["normal", "random", "sequential", "willneed"];

/** Refuses advice that there is not. @throws RangeError naming what there is. */
export function checkAdvice(advice: MapAdvice): void {
  if (!ADVICE.includes(advice)) throw new RangeError(`advice is one of ${ADVICE.join(", ")}, not ${String(advice)}`);
}

/** Refuses a mode that there is not. @throws RangeError naming what there is. */
export function checkMapMode(mode: MapMode): void {
  if (mode === "c" || mode === "r+") return;
  throw new RangeError(
    `mode is 'c' or 'r+', not ${JSON.stringify(mode)}: a write to a mapping that may only be read ends the process, so 'c' stands in for 'r'`,
  );
}

/** Makes the error of a failed system call, as Node makes those of its own. */
export function systemCallError(call: string, code: string, number: number, path?: string): Error {
  const where = path === undefined ? "" : ` '${path}'`;
  const error = new Error(`${code}: ${call} failed with error ${number}${where}`);
  return Object.assign(error, { code, errno: -number, syscall: call, ...(path === undefined ? {} : { path }) });
}
