import { resolve, toNamespacedPath } from "node:path";
import type { Koffi, NativeFunction, NativeLibrary } from "./koffi-library.ts";
import { type MappedMemory, type MapRequest, type MemoryCalls, systemCallError } from "./mapped-memory.ts";

// Constants of winnt.h, fileapi.h and memoryapi.h.
const GENERIC_READ = 0x8000_0000;
const GENERIC_WRITE = 0x4000_0000;
/** FILE_SHARE_READ, FILE_SHARE_WRITE and FILE_SHARE_DELETE, as Node opens files. */
const FILE_SHARE_ALL = 7;
const OPEN_EXISTING = 3;
const INVALID_HANDLE_VALUE = -1;
const PAGE_READWRITE = 4;
const PAGE_WRITECOPY = 8;
const FILE_MAP_COPY = 1;
const FILE_MAP_WRITE = 2;

/** Names that Node gives the errors that mapping a file meets (winerror.h); others are told by number. */
const ERROR_NAMES: Readonly<Record<number, string>> = {
  2: "ENOENT",
  3: "ENOENT",
  5: "EACCES",
  8: "ENOMEM",
  14: "ENOMEM",
  32: "EBUSY",
  33: "EBUSY",
  112: "ENOSPC",
  1455: "ENOMEM",
};

/** Gives the calls of Windows. */
export function windowsMemory(koffi: Koffi): MemoryCalls {
  return new WindowsMemory(koffi.load("kernel32.dll"));
}

class WindowsMemory implements MemoryCalls {
  readonly #createFile: NativeFunction;
  readonly #createMapping: NativeFunction;
  readonly #mapView: NativeFunction;
  readonly #unmapView: NativeFunction;
  readonly #flushView: NativeFunction;
  readonly #flushFile: NativeFunction;
  readonly #closeHandle: NativeFunction;
  readonly #lastError: NativeFunction;

  constructor(library: NativeLibrary) {
    // Handles are pointers that are never followed; as intptr they are plain numbers.
    this.#createFile = library.func("CreateFileW", "intptr", [
      "str16",
      "uint32",
      "uint32",
      "void *",
      "uint32",
      "uint32",
      "intptr",
    ]);
    this.#createMapping = library.func("CreateFileMappingW", "intptr", [
      "intptr",
      "void *",
      "uint32",
      "uint32",
      "uint32",
      "str16",
    ]);
    this.#mapView = library.func("MapViewOfFile", "void *", ["intptr", "uint32", "uint32", "uint32", "size_t"]);
    this.#unmapView = library.func("UnmapViewOfFile", "int", ["void *"]);
    this.#flushView = library.func("FlushViewOfFile", "int", ["void *", "size_t"]);
    this.#flushFile = library.func("FlushFileBuffers", "int", ["intptr"]);
    this.#closeHandle = library.func("CloseHandle", "int", ["intptr"]);
    this.#lastError = library.func("GetLastError", "uint32", []);
  }

  map({ path, byteLength, mode }: MapRequest): MappedMemory {
    const isShared = mode === "r+";
    const access = isShared ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ;
    // Paths of more than 260 characters are taken in this form only.
    const name = toNamespacedPath(resolve(path));
    const file = this.#createFile(name, access >>> 0, FILE_SHARE_ALL, null, OPEN_EXISTING, 0, 0);
    if (file === INVALID_HANDLE_VALUE) throw this.#error("CreateFileW", path);
    try {
      // A size of 0 is that of the file, so that a mapping never makes it longer.
      const mapping = this.#createMapping(file, null, isShared ? PAGE_READWRITE : PAGE_WRITECOPY, 0, 0, null);
      if (mapping === 0) throw this.#error("CreateFileMappingW", path);
      try {
        const address = this.#mapView(mapping, isShared ? FILE_MAP_WRITE : FILE_MAP_COPY, 0, 0, byteLength);
        if (typeof address !== "bigint") throw this.#error("MapViewOfFile", path);
        return { address, byteLength, mode, file };
      } finally {
        // The view keeps the mapping object.
        this.#closeHandle(mapping);
      }
    } catch (error) {
      this.#closeHandle(file);
      throw error;
    }
  }

  unmap({ address, file }: MappedMemory): void {
    const isDone = this.#unmapView(address) !== 0;
    const failure = isDone ? undefined : this.#error("UnmapViewOfFile");
    this.#closeHandle(file);
    if (failure !== undefined) throw failure;
  }

  flush({ address, byteLength, file }: MappedMemory): void {
    if (this.#flushView(address, byteLength) === 0) throw this.#error("FlushViewOfFile");
    // The first call only starts writing.
    if (this.#flushFile(file) === 0) throw this.#error("FlushFileBuffers");
  }

  advise(): void {
    // Windows has no advice for a mapping of a file.
  }

  #error(call: string, path?: string): Error {
    // koffi keeps the error of the last call for the next one.
    const number = Number(this.#lastError());
    return systemCallError(call, ERROR_NAMES[number] ?? "UNKNOWN", number, path);
  }
}
