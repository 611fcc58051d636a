/**
 * Refuses options that there are not, so that a misspelt name does not pass for its default.
 *
 * @throws TypeError naming the first unknown key.
 */
export function checkOptionKeys(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TypeError(`there is no option ${unknown}; one of ${known.join(", ")}`);
}
