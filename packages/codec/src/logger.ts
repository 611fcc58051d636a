/** One level of a {@link Logger}: fields first, then a message, as pino takes them. */
export type LogMethod = (fields: object, message?: string) => void;

/** The part of a logger that npystream calls. A pino logger has this shape. */
export interface Logger {
  /** What helps to find a fault. */
  readonly debug: LogMethod;
  /** What a user may want to know. */
  readonly info: LogMethod;
  /** What goes on, but not as it should. */
  readonly warn: LogMethod;
  /** What failed. */
  readonly error: LogMethod;
}
