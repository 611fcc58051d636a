import { createHash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";

/** Digests that are kept: a set is looked at a few times before it is delivered, and not again for long. */
const KEPT_DIGESTS = 4096;

/** Digests the content of files, each state of a file once. */
export class DigestCache {
  readonly #digests = new Map<string, string>();

  /** SHA-256 in hex of what is in a file of this version. */
  async of(handle: FileHandle, version: string): Promise<string> {
    const known = this.#digests.get(version);
    if (known !== undefined) {
      return known;
    }
    const hash = createHash("sha256");
    for await (const bytes of handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 20 })) {
      hash.update(bytes);
    }
    const digest = hash.digest("hex");
    const [oldest] = this.#digests.size >= KEPT_DIGESTS ? this.#digests.keys() : [];
    if (oldest !== undefined) {
      this.#digests.delete(oldest);
    }
    this.#digests.set(version, digest);
    return digest;
  }
}
