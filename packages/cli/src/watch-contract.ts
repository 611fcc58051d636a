import { readFile } from "node:fs/promises";
import { isNpyError } from "@npystream/codec";
import { type NameTemplate, nameTemplate, type SetContract } from "@npystream/pipeline-discovery";
import { describeFailure } from "./error-line.ts";
import { UsageError } from "./usage-error.ts";

/**
 * Makes the contract of sets of `--roles a,b` and `--contract`, a JSON text or the path of a file with one: an object of
 * `{"dtype", "shape"}` by role.
 *
 * @throws UsageError where there is no role, or the text is no such object.
 */
export async function readContract(roles: string | undefined, contract: string | undefined): Promise<SetContract> {
  const named = (roles ?? "")
    .split(",")
    .map((role) => role.trim())
    .filter((role) => role !== "");
  const given = contract === undefined ? {} : await readRoles(contract);
  const stranger = Object.keys(given).find((role) => roles !== undefined && !named.includes(role));
  if (stranger !== undefined) throw new UsageError(`--contract has the role ${stranger}, which --roles does not name`);
  if (named.length === 0 && Object.keys(given).length === 0) {
    throw new UsageError(
      "there is no role: --roles takes names such as features,labels, or --contract says what each must be",
    );
  }
  return { roles: { ...Object.fromEntries(named.map((role) => [role, {}])), ...given } };
}

/** @throws UsageError where the text is no template. */
export function readTemplate(text: string): NameTemplate {
  return asWrongUse(() => nameTemplate(text));
}

/** Does something with what the user gave, whose refusal of it is wrong use. */
export function asWrongUse<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!isNpyError(error) && !(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

async function readRoles(contract: string): Promise<SetContract["roles"]> {
  const isText = contract.trimStart().startsWith("{");
  let roles: unknown;
  try {
    roles = JSON.parse(isText ? contract : await readFile(contract, "utf8"));
  } catch (error) {
    const { message } = describeFailure(error);
    throw new UsageError(`--contract ${isText ? "" : `${contract} `}cannot be read: ${message}`, { cause: error });
  }
  const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
  if (!isObject(roles) || Array.isArray(roles) || !Object.values(roles).every(isObject)) {
    throw new UsageError('--contract is an object by role, as {"labels": {"dtype": "int64", "shape": ["N"]}}');
  }
  // What stands in each role, discover checks.
  return roles as SetContract["roles"];
}
