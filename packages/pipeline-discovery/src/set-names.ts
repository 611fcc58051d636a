import { MANIFEST_SUFFIX, type NameFields, type NameTemplate } from "@npystream/codec";
import { isVisibleName } from "./directory-listing.ts";

/** What a path says about the set its file belongs to. */
export interface SetName {
  /** Names the set among those of its root: every field but the role, as they stand in the path, joined by `/`. */
  readonly key: string;
  /** Every field but the role. */
  readonly fields: NameFields;
  /** The role of the file in the set; nothing for a file that holds all of them. */
  readonly role: string;
}

/** How the names of files of sets may end. */
const SUFFIXES = [".npy", ".npz", MANIFEST_SUFFIX] as const;

/** `{...rest}`, `{shard:05}` or `{key}` in the text of a template, which the template itself has checked. */
const FIELD = /\{(\.{3})?(\w+)(?::0(\d+))?[^}]*\}/g;

/** Reads the names of files as the names of the sets they belong to. */
export class SetNames {
  /** The text of the template. */
  readonly template: string;
  /** Whether a set is one file that holds or names all roles: a `.npz`, or the manifest of shards. */
  readonly isOneFile: boolean;
  /** How the names of its files end. */
  readonly suffix: ".npy" | ".npz" | typeof MANIFEST_SUFFIX;
  /** How many folders lie between the root and a file at least. */
  readonly minDepth: number;
  /** How many folders lie between the root and a file at most; no bound where `{...rest}` takes any number. */
  readonly maxDepth: number;
  readonly #names: NameTemplate<object>;
  readonly #keyFields: readonly { readonly name: string; readonly width: number }[];
  readonly #onlyRole: string;
  readonly #roles: ReadonlySet<string>;

  /**
   * @param roles - The roles of a set: what `{role}` may stand for.
   * @throws TypeError where the template cannot name such sets.
   */
  constructor(names: NameTemplate<object>, roles: readonly string[]) {
    const { template } = names;
    const hasRole = names.fieldNames.includes("role");
    const suffix = SUFFIXES.find((one) => template.endsWith(one));
    if (suffix === undefined) {
      throw new TypeError(`the template ${template} must end in ${SUFFIXES.join(", ")}`);
    }
    this.template = template;
    this.suffix = suffix;
    this.isOneFile = suffix !== ".npy";
    if (this.isOneFile && hasRole) {
      throw new TypeError(`the template ${template} has {role}, but a file that ends in ${suffix} holds all roles`);
    }
    if (!this.isOneFile && !hasRole && roles.length !== 1) {
      throw new TypeError(`the template ${template} needs {role} to tell ${roles.join(" from ")}`);
    }
    const hidden = template.split("/").find((segment) => !isVisibleName(segment));
    if (hidden !== undefined) {
      throw new TypeError(`the template ${template} names ${hidden}, and such names are never looked at`);
    }
    const depth = template.split("/").length - 1;
    const hasRest = template.includes("{...");
    this.minDepth = hasRest ? depth - 1 : depth;
    this.maxDepth = hasRest ? Number.POSITIVE_INFINITY : depth;
    this.#names = names;
    this.#onlyRole = this.isOneFile || hasRole ? "" : (roles[0] ?? "");
    this.#roles = new Set(hasRole ? roles : [this.#onlyRole]);
    this.#keyFields = [...template.matchAll(FIELD)]
      .map(([, , name = "", width = "0"]) => ({ name, width: Number(width) }))
      .filter(({ name }) => name !== "role");
  }

  /** Tells whether a file of this name may belong to a set, without a look at the folders above. */
  accepts(name: string): boolean {
    return name.endsWith(this.suffix);
  }

  /** Reads the path of a file, relative to its root; `null` where it belongs to no set. */
  identify(path: string): SetName | null {
    // What a template parses to is an object of its fields; the type of each is not needed here.
    const parsed = this.#names.parse(path) as NameFields | null;
    if (parsed === null) {
      return null;
    }
    const { role, ...fields } = parsed;
    const actual = role === undefined ? this.#onlyRole : String(role);
    if (!this.#roles.has(actual)) {
      return null;
    }
    let key = "";
    for (const { name, width } of this.#keyFields) {
      const text = String(fields[name]).padStart(width, "0");
      key += key === "" || text === "" ? text : `/${text}`;
    }
    return { key, fields, role: actual };
  }
}
