import { crc32 } from "node:zlib";
import { combineCrc32, type ZipContent } from "@npystream/codec";

/** Where the bytes of one member go, one after another. */
export interface MemberPlace {
  /** Adds bytes, which may be changed again when the promise resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Replaces the first bytes. */
  rewriteStart(bytes: Uint8Array): Promise<void>;
}

/** A member that is whole: where it lies, or its bytes where it was small enough to be held. */
export interface WholeMember extends ZipContent {
  readonly bytes?: Uint8Array;
}

/** Takes the rows of one member and puts it, as the archive stores it, into a place. */
export interface MemberBody {
  /** Takes bytes behind the header. */
  write(bytes: Uint8Array): Promise<void>;
  /** Puts what is left into the place, with the header as it is now. */
  finish(header: Uint8Array): Promise<WholeMember>;
}

/** A larger member gets a place; one that is not takes part of one write of several members. */
const HELD_BYTES = 64 << 10;
/** Written at once, while the checksum of it is worked out. */
const SLICE_BYTES = 8 << 20;

/** A member that is stored as it is. */
export class StoredBody implements MemberBody {
  readonly #header: Uint8Array;
  readonly #openPlace: () => Promise<MemberPlace>;
  #held: Uint8Array[] = [];
  #place: MemberPlace | undefined;
  #crc32 = 0;
  #byteLength = 0;

  /**
   * @param header - Of the length that it keeps.
   * @param openPlace - Called once there is more than can be held.
   */
  constructor(header: Uint8Array, openPlace: () => Promise<MemberPlace>) {
    this.#header = header;
    this.#openPlace = openPlace;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#place === undefined && this.#byteLength + bytes.length <= HELD_BYTES) {
      this.#held.push(bytes.slice());
      this.#count(bytes);
      return;
    }
    const place = this.#place ?? (await this.#begin());
    for (let start = 0; start < bytes.length; start += SLICE_BYTES) {
      const slice = bytes.subarray(start, start + SLICE_BYTES);
      const writing = place.write(slice);
      this.#count(slice);
      await writing;
    }
  }

  async finish(header: Uint8Array): Promise<WholeMember> {
    const byteLength = header.length + this.#byteLength;
    const content = {
      crc32: combineCrc32(crc32(header), this.#crc32, this.#byteLength),
      compressedSize: byteLength,
      byteLength,
    };
    if (this.#place === undefined) return { ...content, bytes: Buffer.concat([header, ...this.#held]) };
    if (Buffer.compare(header, this.#header) !== 0) await this.#place.rewriteStart(header);
    return content;
  }

  #count(bytes: Uint8Array): void {
    this.#crc32 = crc32(bytes, this.#crc32);
    this.#byteLength += bytes.length;
  }

  async #begin(): Promise<MemberPlace> {
    const place = await this.#openPlace();
    await place.write(Buffer.concat([this.#header, ...this.#held]));
    this.#held = [];
    this.#place = place;
    return place;
  }
}
