import { pathOf } from "./directory-listing.ts";
import type { RootFolder } from "./root-folder.ts";
import { Candidate } from "./set-candidate.ts";
import type { SetNames } from "./set-names.ts";

/**
 * Sets whose files have all gone and whose last state is remembered, so that they are not delivered again should the
 * same files be back: after a network mount was away, or a move there and back.
 */
const REMEMBERED = 100_000;

/** Every set of which a file is there, by name. */
export class SetTable {
  readonly #names: SetNames;
  readonly #roles: readonly string[];
  readonly #candidates = new Map<RootFolder, Map<string, Candidate>>();
  readonly #departed = new Map<string, Candidate>();

  constructor(names: SetNames, roles: readonly string[]) {
    this.#names = names;
    this.#roles = names.isOneFile ? [""] : roles;
  }

  /** Takes up a file and gives the set it belongs to, if to any. */
  add(root: RootFolder, folder: string, fileName: string): Candidate | undefined {
    const name = this.#names.identify(pathOf(folder, fileName));
    if (name === null) {
      return undefined;
    }
    const known = this.#candidatesOf(root);
    let candidate = known.get(name.key);
    if (candidate === undefined) {
      candidate = this.#takeBack(root, name.key) ?? new Candidate(root, name.key, this.#names, this.#roles.length);
      known.set(name.key, candidate);
    }
    candidate.place(this.#roles.indexOf(name.role), folder, fileName);
    return candidate;
  }

  /** Finds a set by the path of its root, and forgets what was remembered of it where all its files have gone. */
  reopen(root: string, key: string): Candidate | undefined {
    this.#departed.delete(idOf(root, key));
    const of = [...this.#candidates.keys()].find(({ path }) => path === root);
    return of === undefined ? undefined : this.#candidates.get(of)?.get(key);
  }

  /** Finds the set of a file that is known. */
  find(root: RootFolder, path: string): Candidate | undefined {
    const name = this.#names.identify(path);
    return name === null ? undefined : this.#candidates.get(root)?.get(name.key);
  }

  /** Takes a file out of its set, and out of the table the set that has no file left. */
  remove(candidate: Candidate, path: string): void {
    candidate.drop(path);
    if (candidate.isEmpty && this.#candidates.get(candidate.root)?.delete(candidate.key) === true) {
      this.#remember(candidate);
    }
  }

  /** Roles of which a set has no file. */
  missingRoles(candidate: Candidate): string[] {
    const { paths } = candidate;
    return this.#roles.filter((_, at) => paths[at] === "");
  }

  /** Every set, or those of one root. */
  *candidates(root?: RootFolder): Generator<Candidate> {
    for (const [of, known] of this.#candidates) {
      if (root === undefined || root === of) {
        yield* known.values();
      }
    }
  }

  #candidatesOf(root: RootFolder): Map<string, Candidate> {
    const known = this.#candidates.get(root) ?? new Map<string, Candidate>();
    this.#candidates.set(root, known);
    return known;
  }

  /** The set itself and no other in its place, since it may be in quarantine, or in the hands of whoever took it. */
  #takeBack(root: RootFolder, key: string): Candidate | undefined {
    const id = idOf(root.path, key);
    const candidate = this.#departed.get(id);
    this.#departed.delete(id);
    candidate?.beginWait();
    return candidate;
  }

  #remember(candidate: Candidate): void {
    if (candidate.hasSettled) {
      this.#departed.set(idOf(candidate.root.path, candidate.key), candidate);
      const [oldest] = this.#departed.size > REMEMBERED ? this.#departed.keys() : [];
      if (oldest !== undefined) {
        this.#departed.delete(oldest);
      }
    }
  }
}

function idOf(root: string, key: string): string {
  return `${root}\0${key}`;
}
