import type { Logger } from "@npystream/codec";

/** One thing that was logged. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string | undefined;
}

/** Keeps what is logged. */
export class MemoryLogger implements Logger {
  readonly entries: LogEntry[] = [];

  debug(fields: object, message?: string): void {
    this.#keep("debug", fields, message);
  }

  info(fields: object, message?: string): void {
    this.#keep("info", fields, message);
  }

  warn(fields: object, message?: string): void {
    this.#keep("warn", fields, message);
  }

  error(fields: object, message?: string): void {
    this.#keep("error", fields, message);
  }

  /** Messages of one level. */
  messages(level: LogEntry["level"]): (string | undefined)[] {
    return this.entries.filter((entry) => entry.level === level).map(({ message }) => message);
  }

  #keep(level: LogEntry["level"], fields: object, message: string | undefined): void {
    this.entries.push({ level, fields: { ...fields }, message });
  }
}
