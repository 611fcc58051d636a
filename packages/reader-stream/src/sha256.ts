import { createHash } from "node:crypto";

/** Bytes hashed at once: Node takes less than 2 GiB in one call. */
const PIECE_BYTES = 1 << 30;

/** Gives the SHA-256, in hex, of texts and bytes that follow each other, of any length. */
export function sha256(parts: readonly (string | Uint8Array)[], pieceBytes: number = PIECE_BYTES): string {
  const hash = createHash("sha256");
  for (const part of parts) {
    if (typeof part === "string") hash.update(part);
    else for (let at = 0; at < part.length; at += pieceBytes) hash.update(part.subarray(at, at + pieceBytes));
  }
  return hash.digest("hex");
}
