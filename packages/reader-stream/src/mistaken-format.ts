import { type ByteSource, isNpyError, NpyError } from "@npystream/codec";

/** As many bytes as tell a `.npy` from an `.npz`. */
export const SIGNATURE_BYTES = 6;

/**
 * Says what to call instead where a file is the other of the two formats; gives any other error back as it is.
 *
 * @param start - The first {@link SIGNATURE_BYTES} of the file.
 */
export function explainFormat(error: unknown, start: Uint8Array): unknown {
  if (!isNpyError(error)) return error;
  const text = Buffer.from(start.buffer, start.byteOffset, start.length).toString("latin1");
  // NEP 1, "Format Specification: Version 1.0".
  if (error.code === "ERR_NPZ_DIRECTORY" && text === "\x93NUMPY") {
    return new NpyError(error.code, "this is a .npy file and not an archive: openNpy reads it, mapNpy maps it", {
      path: error.path,
      offset: 0,
    });
  }
  // APPNOTE 4.3.7 and, of an archive without members, 4.3.16.
  if (error.code === "ERR_NPY_MAGIC" && (text.startsWith("PK\x03\x04") || text.startsWith("PK\x05\x06"))) {
    const message =
      "this is a ZIP archive and not a .npy file: openNpz opens an archive, and " +
      'openNpy("set.npz#name") one array of it';
    return new NpyError(error.code, message, { path: error.path, offset: 0 });
  }
  return error;
}

/** Explains an error of opening `source` by its first bytes. */
export async function explainOpening(error: unknown, source: ByteSource): Promise<unknown> {
  const isOpening = isNpyError(error) && (error.code === "ERR_NPZ_DIRECTORY" || error.code === "ERR_NPY_MAGIC");
  if (!isOpening || source.byteLength < SIGNATURE_BYTES) return error;
  const start = new Uint8Array(SIGNATURE_BYTES);
  try {
    await source.read(start, 0);
  } catch {
    return error;
  }
  return explainFormat(error, start);
}
