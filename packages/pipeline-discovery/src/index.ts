/**
 * Finds NumPy files that belong together in watched folders, and runs stages over each set once it is complete.
 *
 * @packageDocumentation
 */

export {
  type NameFields,
  type NameFieldsOf,
  type NameFieldValue,
  type NameTemplate,
  nameTemplate,
} from "@npystream/codec";
export type { ArraySet, IncompleteSet, QuarantinedSet, SetArray, SetArrays, SetFields } from "./array-set.ts";
export { discover } from "./discover.ts";
export type { DiscoverOptions, IncompleteOptions } from "./discover-options.ts";
export type { Discovery, DiscoveryStats } from "./discovery.ts";
export { runStage } from "./run-stage.ts";
export type { RoleContract, RoleDType, SetContract } from "./set-contract.ts";
export type { Commit } from "./stage-commit.ts";
export type { RetryOptions, StageContext, StageFunction, StageOptions, StageResult } from "./stage-options.ts";
