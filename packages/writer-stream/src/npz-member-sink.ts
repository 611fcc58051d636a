import {
  type ByteSink,
  isNpyError,
  NPY_PREFIX_BYTES,
  NpyError,
  npyDataOffset,
  parseNpyHeader,
  planBlocks,
} from "@npystream/codec";
import { DeflatedBody } from "./deflated-body.ts";
import type { BlockDeflater } from "./node-deflater.ts";
import { type MemberBody, type MemberPlace, StoredBody } from "./npz-member-body.ts";
import type { MemberKind, NpzOutput } from "./npz-output.ts";

/** What {@link NpzMemberSink} is made of. */
export interface NpzMemberInit {
  /** Name of the array, without `.npy`. */
  readonly member: string;
  readonly output: NpzOutput;
  /** What deflates it, where it is to be deflated. */
  readonly deflater: BlockDeflater | undefined;
  /** Whether the header is not written a second time. */
  readonly isFinal: boolean;
  /** Before which it takes no place, so that members lie in the order that they were asked for. */
  readonly turn: Promise<void>;
  /** Path of the archive, where it has one. */
  readonly path: string | undefined;
}

/** Headers are our own: nothing of them is too long. */
const NO_LIMITS = {
  limits: { headerBytes: Number.MAX_SAFE_INTEGER, depth: Number.MAX_SAFE_INTEGER, rank: Number.MAX_SAFE_INTEGER },
};

/** Takes the `.npy` of one array as a file would, and makes it a member of an archive. */
export class NpzMemberSink implements ByteSink {
  readonly seekable = true;
  readonly path: string | undefined;
  readonly #init: NpzMemberInit;
  #header = new Uint8Array(0);
  #kind: MemberKind | undefined;
  #body: MemberBody | undefined;
  #place: MemberPlace | undefined;
  #isCommitted = false;

  constructor(init: NpzMemberInit) {
    this.#init = init;
    this.path = init.path;
  }

  /** Whether the archive has it. */
  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  async write(bytes: Uint8Array, position?: number): Promise<void> {
    if (position !== undefined) this.#rewriteHeader(bytes, position);
    else await (this.#body === undefined ? this.#writeStart(bytes) : this.#body.write(bytes));
  }

  async commit(): Promise<void> {
    const { output, turn } = this.#init;
    if (this.#body === undefined || this.#kind === undefined) throw new TypeError("a member is an array with a header");
    const content = await this.#body.finish(this.#header);
    await turn;
    await output.add(this.#kind, content, this.#place);
    this.#isCommitted = true;
  }

  /** An archive without one of its members is not what was asked for: it is given up. */
  async abort(reason: unknown = new Error("the member was aborted")): Promise<void> {
    const { output, member } = this.#init;
    if (this.#isCommitted) return;
    if (isNpyError(reason)) reason.locate({ member, path: this.path });
    await output.fail(reason);
  }

  #rewriteHeader(bytes: Uint8Array, position: number): void {
    if (position !== 0 || this.#kind === undefined || bytes.length !== this.#header.length) {
      throw new TypeError("of a member the header alone is replaced, by one of its length");
    }
    this.#header = bytes.slice();
  }

  /** Collects the header, which tells how the rest is cut. */
  async #writeStart(bytes: Uint8Array): Promise<void> {
    let rest = this.#collect(bytes, NPY_PREFIX_BYTES);
    if (this.#header.length < NPY_PREFIX_BYTES) return;
    const dataOffset = npyDataOffset(this.#header, NO_LIMITS);
    rest = this.#collect(rest, dataOffset);
    if (this.#header.length < dataOffset) return;
    this.#body = this.#createBody(dataOffset);
    await this.#body.write(rest);
  }

  #collect(bytes: Uint8Array, wanted: number): Uint8Array {
    const part = bytes.subarray(0, Math.max(0, wanted - this.#header.length));
    if (part.length > 0) this.#header = new Uint8Array(Buffer.concat([this.#header, part]));
    return bytes.subarray(part.length);
  }

  #createBody(dataOffset: number): MemberBody {
    const { member, deflater, isFinal } = this.#init;
    const { shape, itemSize } = parseNpyHeader(this.#header, NO_LIMITS);
    const kind: MemberKind = { name: `${member}.npy`, method: deflater === undefined ? 0 : 8, dataOffset, isFinal };
    this.#kind = kind;
    const openPlace = async (): Promise<MemberPlace> => {
      await this.#init.turn;
      const place = await this.#init.output.begin(kind);
      this.#place = place;
      return place;
    };
    if (deflater === undefined) return new StoredBody(this.#header, openPlace);
    // The extent of the first axis may not be known yet, and rows are the same without it.
    const rowBytes = shape.slice(1).reduce((product, extent) => product * extent, itemSize);
    return new DeflatedBody(this.#header, planBlocks(dataOffset, rowBytes), deflater, openPlace);
  }
}

/** Says that an archive has an array of this name. */
export function duplicateError(member: string, path?: string): NpyError {
  return new NpyError("ERR_NPZ_DUPLICATE", "the archive has an array of this name already", { member, path });
}
