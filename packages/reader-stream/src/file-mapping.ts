import { constants } from "node:buffer";
import { NpyError } from "@npystream/codec";
import { type Koffi, loadKoffi } from "./koffi-library.ts";
import type { MapAdvice, MapMode, MappedMemory, MapRequest, MemoryCalls } from "./mapped-memory.ts";
import { posixMemory } from "./posix-memory.ts";
import { windowsMemory } from "./windows-memory.ts";

/** Largest view that the runtime has: 4 GiB on Node 20. koffi ends the process where one is larger, so it is checked. */
export const MAX_VIEW_BYTES: number = constants.MAX_LENGTH;

/** Everything that keeps a mapping: the object that made it, and each buffer over it. */
interface Holders {
  readonly memory: MappedMemory;
  readonly calls: MemoryCalls;
  count: number;
}

interface Native {
  readonly koffi: Koffi;
  readonly calls: MemoryCalls;
}

/**
 * Buffers over foreign memory cannot be detached, so nothing is unmapped before the last of them was collected. A
 * callback runs between turns of the event loop, never while code that holds a view runs.
 */
const collected = new FinalizationRegistry<Holders>(release);

const REFUSED: PropertyDescriptor = {
  value: () => {
    throw new TypeError("the bytes of a mapped file stay in their ArrayBuffer: copy them with slice()");
  },
};

let native: Native | undefined;

/** A file in memory, from its start. It is unmapped when this object was closed or collected and every buffer over it too. */
export class FileMapping {
  readonly byteLength: number;
  readonly mode: MapMode;
  readonly #native: Native;
  readonly #holders: Holders;
  #isClosed = false;

  private constructor(using: Native, memory: MappedMemory) {
    this.byteLength = memory.byteLength;
    this.mode = memory.mode;
    this.#native = using;
    this.#holders = { memory, calls: using.calls, count: 1 };
    collected.register(this, this.#holders, this);
  }

  /**
   * Maps a file.
   *
   * @throws NpyError `ERR_MAP_UNAVAILABLE` where koffi is missing or the system refuses; the system's error is the cause.
   */
  static map(request: MapRequest): FileMapping {
    const using = loadNative();
    try {
      return new FileMapping(using, using.calls.map(request));
    } catch (cause) {
      const message = "the system does not map this file: use openNpy, which reads it";
      throw new NpyError("ERR_MAP_UNAVAILABLE", message, { path: request.path, cause });
    }
  }

  /**
   * Shows bytes of the file as a buffer of their own, which keeps the mapping as long as it is reachable.
   *
   * The collector counts the buffer's bytes as taken: one of 64 MiB or more makes it run soon (measured: 3 to 6 ms, and
   * 130 to 240 ms where 2,000,000 objects are alive), one of few bytes costs 12 us.
   */
  view(position: number, byteLength: number): ArrayBuffer {
    this.#checkOpen();
    if (position < 0 || byteLength < 0 || position + byteLength > this.byteLength || byteLength > MAX_VIEW_BYTES) {
      throw new RangeError(`${byteLength} bytes from ${position} on are not in a mapping of ${this.byteLength}`);
    }
    if (byteLength === 0) return new ArrayBuffer(0);
    let buffer: ArrayBuffer;
    try {
      buffer = this.#native.koffi.view(this.#holders.memory.address + BigInt(position), byteLength);
    } catch (cause) {
      throw new NpyError("ERR_MAP_UNAVAILABLE", "this runtime does not show foreign memory: use openNpy", { cause });
    }
    // Its bytes would go to a buffer that is not waited for. Marking it as untransferable stops byte streams too, but
    // then Node 24 and 26 end with a fatal error where one is alive at exit.
    Object.defineProperties(buffer, { transfer: REFUSED, transferToFixedLength: REFUSED });
    this.#holders.count += 1;
    collected.register(buffer, this.#holders);
    return buffer;
  }

  /** Writes what was changed to the disk and waits for it. */
  flush(): void {
    this.#checkOpen();
    this.#holders.calls.flush(this.#holders.memory);
  }

  /** Tells the system how these bytes will be read. */
  advise(position: number, byteLength: number, advice: MapAdvice): void {
    this.#checkOpen();
    this.#holders.calls.advise(this.#holders.memory, position, byteLength, advice);
  }

  /** Gives up the mapping; buffers over it keep it. Closing twice is harmless. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    collected.unregister(this);
    release(this.#holders);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TypeError("the mapping has been closed");
  }
}

/**
 * Loads what mapping takes, before anything is changed for it.
 *
 * @throws NpyError `ERR_MAP_UNAVAILABLE`.
 */
export function loadNative(): Native {
  if (native !== undefined) return native;
  const koffi = loadKoffi();
  const calls = process.platform === "win32" ? windowsMemory(koffi) : posixMemory(koffi);
  if (calls === undefined) {
    throw new NpyError("ERR_MAP_UNAVAILABLE", `files are not mapped on ${process.platform}: openNpy reads them`);
  }
  native = { koffi, calls };
  return native;
}

function release(holders: Holders): void {
  holders.count -= 1;
  if (holders.count > 0) return;
  try {
    holders.calls.unmap(holders.memory);
  } catch {
    // Nobody is there to be told, and the memory goes with the process.
  }
}
