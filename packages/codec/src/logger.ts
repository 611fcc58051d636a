/** One level of a {@link Logger}: fields first, then a message, as pino takes them. */
export type LogMethod = (fields: object, message?: string) => void;

/** The part of a logger that npystream calls. A pino logger has this shape. */
export interface Logger {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
}
