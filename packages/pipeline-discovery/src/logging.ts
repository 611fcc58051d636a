import { isNpyError, type Logger } from "@npystream/codec";
import { pino } from "pino";

/** A {@link Logger} that may give one which adds fields to everything it logs, as pino's does. */
export interface ParentLogger extends Logger {
  readonly child?: (fields: object) => Logger;
}

let shared: Logger | undefined;

/**
 * The logger where none is given: pino at level `warn` on standard error. It is silent as long as nothing is refused, and
 * leaves standard output to the program.
 */
export function defaultLogger(): Logger {
  const serializers = { err: describeError };
  shared ??= pino({ name: "npystream", level: "warn", serializers }, pino.destination({ dest: 2, sync: true }));
  return shared;
}

/**
 * What a line of the default log says of an error. The stack of one that tells of a file leads into this package; that of any
 * other leads to the line of a stage that is at fault.
 */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const stack = isNpyError(error) || "code" in error ? {} : { stack: error.stack };
  return { ...error, type: error.name, message: error.message, ...stack };
}

/** Gives a logger that adds `fields`: the parent's own child where it has them, as pino does, else one around it. */
export function childLogger(parent: ParentLogger, fields: object): Logger {
  if (parent.child !== undefined) {
    return parent.child(fields);
  }
  return {
    debug: (more, message) => parent.debug({ ...fields, ...more }, message),
    info: (more, message) => parent.info({ ...fields, ...more }, message),
    warn: (more, message) => parent.warn({ ...fields, ...more }, message),
    error: (more, message) => parent.error({ ...fields, ...more }, message),
  };
}
