import { resolve } from "node:path";

/** What the only root folder is called where it gets no other name. */
const ONLY_ROOT = "in";

/** Checks root folders by name, and makes their paths absolute. */
export function resolveRoots(roots: unknown): ReadonlyMap<string, string> {
  if (typeof roots !== "object" || roots === null || Object.keys(roots).length === 0) {
    throw new TypeError("roots must be folders by name, as { in: '/mnt/in' }");
  }
  const resolved = new Map<string, string>();
  for (const [name, path] of Object.entries(roots)) {
    if (typeof path !== "string" || path === "") {
      throw new TypeError(`roots.${name} must be the path of a folder`);
    }
    resolved.set(name, resolve(path));
  }
  return resolved;
}

/** Gives the root folders of a discovery the names by which workers know them. */
export class RootNames {
  readonly #names: Map<string, string>;
  readonly #isGiven: boolean;

  constructor(roots: ReadonlyMap<string, string> | undefined) {
    this.#isGiven = roots !== undefined;
    this.#names = new Map([...(roots ?? [])].map(([name, path]) => [path, name]));
  }

  /**
   * The name of the root folder at an absolute path.
   *
   * @throws TypeError where it has none.
   */
  of(path: string): string {
    const name = this.#names.get(path);
    if (name !== undefined) {
      return name;
    }
    if (this.#isGiven || this.#names.size > 0) {
      throw new TypeError(`roots gives the folder ${path} no name, by which workers could find it`);
    }
    this.#names.set(path, ONLY_ROOT);
    return ONLY_ROOT;
  }
}
