import { channel } from "node:diagnostics_channel";

/** What happened to a set, as it is published on the channel `npystream:set` of `node:diagnostics_channel`. */
export interface SetEvent {
  /** What happened. */
  readonly event: "delivered" | "done" | "released" | "quarantined";
  /** Name of the pipeline: the text of the template, where none is given. */
  readonly pipeline: string;
  /** Names the set in its root. */
  readonly key: string;
  /** Absolute path of the root folder. */
  readonly root: string;
  /** Tells this state of the files from any other. */
  readonly generation: string;
  /** Why it was quarantined. */
  readonly reason?: string;
}

const sets = channel("npystream:set");

/** Publishes what happened to a set, where anybody listens. */
export function publishSetEvent(event: () => SetEvent): void {
  if (sets.hasSubscribers) {
    sets.publish(event());
  }
}
