import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isRole, MANIFEST_SUFFIX, type NameTemplate, NpyError, nameTemplate } from "@npystream/codec";
import { pathOf } from "./file-sink.ts";
import { removeDeadPartials } from "./partial-file.ts";
import { errnoOf } from "./write-error.ts";

/** Role of the one array of shards whose name is only a number. */
const LONE_ROLE = "array";
const NUMBER = /\{shard:0\d+\}/;

/** What the files of sharded arrays are called. */
export class ShardNames {
  /** Absolute path of the folder that they lie in. */
  readonly folder: string;
  /** Roles of the arrays, in the order they were given. */
  readonly roles: readonly string[];
  /** Absolute path of the manifest. */
  readonly manifestPath: string;
  readonly #templates: ReadonlyMap<string, NameTemplate>;

  /**
   * @param names - Path of one array's shards with `{shard:05}` in the name, or such paths by role.
   * @param manifest - Name of the manifest. By default that of the first array without its number.
   * @throws NpyError `ERR_TEMPLATE`; TypeError for roles that are none, and for arrays in different folders.
   */
  constructor(names: string | Readonly<Record<string, string>>, manifest?: string) {
    const given = typeof names === "string" ? [[undefined, names] as const] : Object.entries(names);
    const paths = given.map(([, path]) => path);
    const [first] = paths;
    if (first === undefined || paths.some((path) => typeof path !== "string")) {
      throw new TypeError("names is a path with {shard:05} in it, or such paths by role");
    }
    this.folder = pathOf(dirname(first));
    if (paths.some((path) => pathOf(dirname(path)) !== this.folder)) {
      throw new TypeError("the shards of all roles lie in one folder, beside their manifest");
    }
    const stem = stemOf(basename(first));
    const lone = isRole(stem) ? stem : LONE_ROLE;
    this.#templates = new Map(given.map(([role = lone, path]) => [role, templateOf(basename(path))]));
    this.roles = [...this.#templates.keys()];
    const odd = this.roles.find((role) => !isRole(role));
    if (odd !== undefined) throw new TypeError(`${JSON.stringify(odd)} is no role: letters, digits, _ . and -`);
    if (manifest !== undefined && (manifest !== basename(manifest) || manifest === "")) {
      throw new TypeError("manifest is the name of a file in the folder of the shards");
    }
    this.manifestPath = join(this.folder, manifest ?? `${stem === "" ? "shards" : stem}${MANIFEST_SUFFIX}`);
    if (this.isShard(basename(this.manifestPath))) throw new TypeError("the manifest has the name of a shard");
    // Of two widths too: x-{shard:01} and x-{shard:02} are one from shard 10 on.
    const [, ...distinct] = this.lockPaths;
    if (distinct.length < this.roles.length) throw new TypeError("two roles have the same names");
  }

  /** What keeps other writers off: the manifest's path, and for the shards of each role one that stands for all of them. */
  get lockPaths(): readonly string[] {
    const names = Array.from(this.#templates.values(), ({ template }) => template.replace(NUMBER, "{shard}"));
    return [this.manifestPath, ...new Set(names.map((name) => join(this.folder, name)))];
  }

  /** Name of a file in the folder. */
  nameOf(role: string, shard: number): string {
    // Every role has a template.
    return (this.#templates.get(role) as NameTemplate).format({ shard });
  }

  /** Tells whether a name in the folder is that of a shard. */
  isShard(name: string): boolean {
    return this.#shardOf(name) !== undefined;
  }

  /** Path of the first file there is of these names, the manifest's included; removes what dead writers left of them. */
  async findExisting(): Promise<string | undefined> {
    const entries = await this.#list();
    const manifest = basename(this.manifestPath);
    const isOwn = (name: string): boolean => name === manifest || this.isShard(name);
    await removeDeadPartials(this.folder, entries, isOwn);
    const found = entries.find(isOwn);
    return found === undefined ? undefined : join(this.folder, found);
  }

  /** Removes the shards from `count` on, which an earlier and longer run has left. */
  async removeFrom(count: number): Promise<void> {
    for (const name of await this.#list()) {
      const shard = this.#shardOf(name);
      if (shard !== undefined && shard >= count) await rm(join(this.folder, name), { force: true });
    }
  }

  #shardOf(name: string): number | undefined {
    for (const template of this.#templates.values()) {
      const shard = template.parse(name)?.["shard"];
      if (typeof shard === "number") return shard;
    }
    return undefined;
  }

  async #list(): Promise<string[]> {
    try {
      return await readdir(this.folder);
    } catch (error) {
      // The first file that is made there says so.
      if (errnoOf(error) === "ENOENT") return [];
      throw error;
    }
  }
}

function templateOf(name: string): NameTemplate {
  const template: NameTemplate = nameTemplate(name);
  const isNumber = NUMBER.test(name) && template.fieldNames.length === 1;
  if (isNumber) return template;
  throw new NpyError(
    "ERR_TEMPLATE",
    `the name ${JSON.stringify(name)} has {shard:05} as its one field, and the folders none`,
  );
}

/** What is left of `features-{shard:05}.npy` without number and extension: `features`. */
function stemOf(name: string): string {
  return name
    .replace(/\.npy$/, "")
    .replace(/[-_. ]?\{[^}]*\}/, "")
    .replace(/^[-_. ]+/, "");
}
