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
export type { Discovery } from "./discovery.ts";
export type { DiscoveryStats } from "./discovery-stats.ts";
export { distribute } from "./distribute.ts";
export type { DistributeOptions, DistributeResult } from "./distribute-options.ts";
export { Ledger } from "./ledger.ts";
export type { LedgerEntry, LedgerFile, LedgerQuery, LedgerState, PruneOptions } from "./ledger-types.ts";
export { type LedgerOptions, openLedger } from "./open-ledger.ts";
export { formatPrometheus } from "./prometheus-text.ts";
export type {
  ConsumerContext,
  EndedJob,
  FailedJob,
  JobState,
  JobVerdict,
  PlainJob,
  PublisherContext,
  QueueConsumer,
  QueueEngine,
  QueueJob,
  QueuePublisher,
  RetriedJob,
} from "./queue-engine.ts";
export { runStage } from "./run-stage.ts";
export type { RoleContract, RoleDType, SetContract } from "./set-contract.ts";
export type { SetEvent } from "./set-events.ts";
export type { AfterDone, MoveAfterDone, MoveTemplate } from "./set-tidy.ts";
export type { Commit } from "./stage-commit.ts";
export type { RetryOptions, StageContext, StageFunction, StageOptions, StageResult } from "./stage-options.ts";
export type { UnmatchedFile } from "./unmatched-file.ts";
export { type WorkOptions, work } from "./work.ts";
