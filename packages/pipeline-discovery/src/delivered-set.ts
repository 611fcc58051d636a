import {
  type ByteReadOptions,
  type DType,
  encodeNpy,
  type NameFields,
  NdArray,
  NpyError,
  shapeSize,
} from "@npystream/codec";
import { type ArrayHandle, openNpy } from "@npystream/reader-stream";
import type { ArraySet, SetArray } from "./array-set.ts";
import type { ArrayFacts } from "./completeness.ts";
import { currentVersion } from "./file-version.ts";
import { SHARDS_MARK } from "./manifest-completeness.ts";
import type { Finding } from "./set-candidate.ts";
import { setId } from "./set-identity.ts";

/** What becomes of a set that was delivered. */
export interface Settlement {
  acked(finding: Finding): Promise<void>;
  released(finding: Finding): Promise<void>;
  quarantined(finding: Finding, error: Error): Promise<void>;
  /** One of its files is not what was delivered. */
  changed(finding: Finding): void;
}

/** A set as it was found complete, in the hands of whoever took it. */
export class DeliveredSet implements ArraySet {
  readonly key: string;
  readonly fields: NameFields;
  readonly root: string;
  readonly missing: readonly string[];
  readonly arrays: Readonly<Record<string, SetArray>>;
  readonly #finding: Finding;
  readonly #settlement: Settlement;
  readonly #paths: readonly string[];
  readonly #pipeline: string;
  #id: string | undefined;
  #settled: Promise<void> | undefined;

  constructor(finding: Finding, roles: readonly string[], settlement: Settlement, pipeline: string) {
    const { candidate, arrays } = finding;
    this.key = candidate.key;
    this.fields = candidate.fields;
    this.root = candidate.root.path;
    this.#finding = finding;
    this.#settlement = settlement;
    this.#pipeline = pipeline;
    this.#paths = candidate.paths.map((path) => (path === "" ? "" : candidate.root.absolute(path)));
    this.missing = roles.filter((role) => !arrays.has(role));
    const isOneFile = !this.#paths.some((path) => path.endsWith(".npy"));
    const byRole: Record<string, SetArray> = {};
    for (const [at, role] of roles.entries()) {
      const facts = arrays.get(role);
      if (facts !== undefined) {
        byRole[role] = this.#arrayOf(role, facts, isOneFile ? 0 : at, isOneFile);
      }
    }
    this.arrays = byRole;
  }

  get id(): string {
    this.#id ??= setId(this.#pipeline, this.key, this.generation);
    return this.#id;
  }

  get generation(): string {
    return this.#finding.generation;
  }

  async verify(): Promise<void> {
    await Promise.all(this.#paths.map((path, at) => (path === "" ? undefined : this.#verifyFile(at))));
    const shards = [...this.#finding.arrays.values()].flatMap((facts) => facts.shards ?? []);
    await Promise.all(shards.map(({ path, version }) => this.#verifyVersion(path, version)));
  }

  async ack(): Promise<void> {
    await this.#settle(() => this.#settlement.acked(this.#finding));
  }

  async release(): Promise<void> {
    await this.#settle(() => this.#settlement.released(this.#finding));
  }

  async quarantine(reason: string | Error): Promise<void> {
    const error = typeof reason === "string" ? new Error(reason) : reason;
    await this.#settle(() => this.#settlement.quarantined(this.#finding, error));
  }

  /** Settles it once; what could not be written down may be tried again. */
  async #settle(how: () => Promise<void>): Promise<void> {
    this.#settled ??= how().catch((error: unknown) => {
      this.#settled = undefined;
      throw error;
    });
    await this.#settled;
  }

  #arrayOf(role: string, facts: ArrayFacts, at: number, isMember: boolean): SetArray {
    const path = this.#paths[at] ?? "";
    const { shards } = facts;
    return {
      role,
      path,
      ...(isMember && shards === undefined ? { member: role } : {}),
      ...(shards === undefined ? {} : { shards: shards.map((shard) => shard.path) }),
      dtype: facts.type.dtype,
      shape: facts.shape,
      byteLength: shapeSize(facts.shape, facts.type.itemSize) * facts.type.itemSize,
      open: (options) => this.#open(at, isMember ? role : undefined, options),
    };
  }

  async #open(at: number, member: string | undefined, options?: ByteReadOptions): Promise<ArrayHandle<DType>> {
    const facts = member === undefined ? undefined : this.#finding.arrays.get(member);
    const verify = async (): Promise<void> => {
      await this.#verifyFile(at);
      await Promise.all((facts?.shards ?? []).map(({ path, version }) => this.#verifyVersion(path, version)));
    };
    await verify();
    const handle = await openNpy(sourceOf(this.#paths[at] ?? "", member, facts), options);
    try {
      // The files that were opened are those that were delivered if those had the names before and after.
      await verify();
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #verifyFile(at: number): Promise<void> {
    // What stands behind the version of a manifest says what its shards are, which are verified by themselves.
    await this.#verifyVersion(this.#paths[at] ?? "", this.#finding.versions[at]?.split(SHARDS_MARK)[0]);
  }

  async #verifyVersion(path: string, expected: string | undefined): Promise<void> {
    const found = await currentVersion(path);
    if (found !== expected) {
      this.#settlement.changed(this.#finding);
      const what = found === null ? "it is no longer there" : `it was ${expected} and is ${found}`;
      throw new NpyError("ERR_SET_CHANGED", `the file changed since the set was delivered: ${what}`, { path });
    }
  }
}

/** What to open an array by: its path, its member's or those of its shards. */
function sourceOf(path: string, member: string | undefined, facts: ArrayFacts | undefined) {
  if (facts?.shards === undefined) {
    return member === undefined ? path : `${path}#${member}`;
  }
  const { shards, type, shape } = facts;
  return shards.length > 0 ? shards.map((shard) => shard.path) : encodeNpy(NdArray.zeros(type, shape));
}
