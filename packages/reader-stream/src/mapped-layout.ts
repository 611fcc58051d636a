import { dtypeInfo, NpyError, type NpyHeader } from "@npystream/codec";
import { MAX_VIEW_BYTES } from "./file-mapping.ts";

/**
 * Checks that an array's bytes can be used where they lie: in the machine's byte order, and aligned for a typed array.
 *
 * @param position - Where the data begins in the file.
 * @param wayOut - What reads the array instead, for the message.
 * @throws NpyError `ERR_MAP_LAYOUT` where they cannot.
 */
export function checkMappedLayout(header: NpyHeader, position: number, wayOut: string): void {
  const { dtype, descr, swaps, byteLength } = header;
  if (byteLength === 0) return;
  if (swaps.length > 0) {
    const message = `${JSON.stringify(descr)} is not in this machine's byte order and a mapping shows bytes as they are: ${wayOut}`;
    throw new NpyError("ERR_MAP_LAYOUT", message);
  }
  const { entryBytes } = dtypeInfo(dtype);
  if (position % entryBytes !== 0) {
    const message = `the data of this ${dtype} array begins at byte ${position}, no multiple of ${entryBytes}: ${wayOut}`;
    throw new NpyError("ERR_MAP_LAYOUT", message, { offset: position });
  }
}

/**
 * Checks that a file is not larger than the largest typed array.
 *
 * @throws NpyError `ERR_MAP_TOO_LARGE` where it is.
 */
export function checkMappedSize(byteLength: number, wayOut: string): void {
  if (byteLength <= MAX_VIEW_BYTES) return;
  const message = `${byteLength} bytes are more than the ${MAX_VIEW_BYTES} of this runtime's largest array: ${wayOut}`;
  throw new NpyError("ERR_MAP_TOO_LARGE", message);
}
