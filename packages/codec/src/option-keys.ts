/**
 * Refuses options that are no object, and names in them that mean nothing, so that a misspelt one does not pass for its
 * default.
 *
 * @param what - What has the options, `encodeNpz`.
 * @param known - Names of all options there are.
 * @throws TypeError naming the first unknown option, and those there are, the nearest first.
 * @internal
 */
export function checkOptionKeys(what: string, options: object, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options of ${what} are an object, not ${JSON.stringify(options)}`);
  }
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const nearest = known.toSorted((a, b) => distance(key, a) - distance(key, b));
    throw new TypeError(`${what} has no option ${key}; it has ${nearest.join(", ")}`);
  }
}

/** How far a key is from the name of an option: nothing where one begins as the other, in whatever case. */
function distance(key: string, name: string): number {
  // What a long key could be meant for, its first letters say too.
  const [letters, target] = [key.slice(0, 40).toLowerCase(), name.toLowerCase()];
  return target.startsWith(letters) || letters.startsWith(target) ? 0 : editDistance(letters, target);
}

/** Fewest letters to put in, to take out or to change that make one word of another. */
function editDistance(letters: string, target: string): number {
  let row = Array.from({ length: target.length + 1 }, (_, i) => i);
  for (let i = 0; i < letters.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < target.length; j++) {
      const changed = (row[j] ?? 0) + (letters[i] === target[j] ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[target.length] ?? 0;
}
