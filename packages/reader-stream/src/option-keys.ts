/**
 * Refuses options that there are not, which are spelled wrong or belong elsewhere.
 *
 * @throws TypeError naming the first of them.
 */
export function checkOptionKeys(what: string, options: object, known: readonly string[]): void {
  const odd = Object.keys(options).find((name) => !known.includes(name));
  if (odd !== undefined) throw new TypeError(`${what} has no option ${odd}; it has ${known.join(", ")}`);
}
