import { createHash } from "node:crypto";
import { type ByteReadOptions, type DType, type NameFields, NpyError } from "@npystream/codec";
import { type ArrayHandle, openNpy } from "@npystream/reader-stream";
import type { ArraySet, SetArray } from "./array-set.ts";
import type { ArrayFacts } from "./completeness.ts";
import { currentVersion } from "./file-version.ts";
import type { Finding } from "./set-candidate.ts";

/** What becomes of a set that was delivered. */
export interface Settlement {
  acked(finding: Finding): void;
  released(finding: Finding): void;
  quarantined(finding: Finding, error: Error): void;
  /** One of its files is not what was delivered. */
  changed(finding: Finding): void;
}

/** A set as it was found complete, in the hands of whoever took it. */
export class DeliveredSet implements ArraySet {
  readonly key: string;
  readonly fields: NameFields;
  readonly root: string;
  readonly arrays: Readonly<Record<string, SetArray>>;
  readonly #finding: Finding;
  readonly #settlement: Settlement;
  readonly #paths: readonly string[];
  #isSettled = false;

  constructor(finding: Finding, roles: readonly string[], settlement: Settlement) {
    const { candidate, arrays } = finding;
    this.key = candidate.key;
    this.fields = candidate.fields;
    this.root = candidate.root.path;
    this.#finding = finding;
    this.#settlement = settlement;
    this.#paths = candidate.absolutePaths;
    const isArchive = this.#paths.length === 1 && this.#paths[0]?.endsWith(".npz") === true;
    const byRole: Record<string, SetArray> = {};
    for (const [at, role] of roles.entries()) {
      const facts = arrays.get(role);
      if (facts !== undefined) {
        byRole[role] = this.#arrayOf(role, facts, isArchive ? 0 : at, isArchive);
      }
    }
    this.arrays = byRole;
  }

  get generation(): string {
    const { versions, arrays } = this.#finding;
    const headers = [...arrays].map(([role, { type, order, shape }]) => [role, type.descr, order, shape]);
    return createHash("sha256")
      .update(JSON.stringify([this.key, versions, headers]))
      .digest("hex");
  }

  async verify(): Promise<void> {
    await Promise.all(this.#paths.map((_, at) => this.#verifyFile(at)));
  }

  async ack(): Promise<void> {
    this.#settle(() => this.#settlement.acked(this.#finding));
  }

  async release(): Promise<void> {
    this.#settle(() => this.#settlement.released(this.#finding));
  }

  async quarantine(reason: string | Error): Promise<void> {
    const error = typeof reason === "string" ? new Error(reason) : reason;
    this.#settle(() => this.#settlement.quarantined(this.#finding, error));
  }

  #settle(how: () => void): void {
    if (!this.#isSettled) {
      this.#isSettled = true;
      how();
    }
  }

  #arrayOf(role: string, facts: ArrayFacts, at: number, isMember: boolean): SetArray {
    const path = this.#paths[at] ?? "";
    return {
      role,
      path,
      ...(isMember ? { member: role } : {}),
      dtype: facts.type.dtype,
      shape: facts.shape,
      open: (options) => this.#open(at, isMember ? role : undefined, options),
    };
  }

  async #open(at: number, member: string | undefined, options?: ByteReadOptions): Promise<ArrayHandle<DType>> {
    const path = this.#paths[at] ?? "";
    await this.#verifyFile(at);
    const handle = await openNpy(member === undefined ? path : `${path}#${member}`, options);
    try {
      // The file that was opened is the one that was delivered if that one had the name before and after.
      await this.#verifyFile(at);
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #verifyFile(at: number): Promise<void> {
    const path = this.#paths[at] ?? "";
    const expected = this.#finding.versions[at];
    const found = await currentVersion(path);
    if (found !== expected) {
      this.#settlement.changed(this.#finding);
      const what = found === null ? "it is no longer there" : `it was ${expected} and is ${found}`;
      throw new NpyError("ERR_SET_CHANGED", `the file changed since the set was delivered: ${what}`, { path });
    }
  }
}
