import { PythonTuple, type PythonValue } from "./python-literal.ts";

/** Names the Python type of a value for an error message: `an int`; `nothing` where there is no value. */
export function pythonType(value: PythonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (typeof value === "string") return "a str";
  if (typeof value === "bigint") return "an int";
  if (typeof value === "boolean") return "a bool";
  if (value instanceof PythonTuple) return `a tuple of ${value.items.length}`;
  return value instanceof Map ? "a dict" : "a list";
}
