/** Says what kind of value somebody passed, for the message that refuses it: never the value, which may be secret. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const type = typeof value;
  if (type !== "object") return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
  const name = (value as object).constructor?.name || "object";
  return `${/^[AEIOU]/i.test(name) ? "an" : "a"} ${name}`;
}
