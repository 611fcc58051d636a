import test from "ava";
import { pino } from "pino";
import { childLogger, defaultLogger } from "../src/logging.ts";
import { MemoryLogger } from "./helpers/memory-logger.ts";

test("a pino logger gives its own children, which carry the fields", (t) => {
  const lines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  childLogger(logger, { set: "a" }).warn({ extra: 1 }, "said");
  t.like(JSON.parse(lines[0] ?? ""), { level: 40, set: "a", extra: 1, msg: "said" });
});

test("a logger without children is given the fields with every call, on every level", (t) => {
  const logger = new MemoryLogger();
  const child = childLogger(logger, { set: "a", attempt: 1 });
  child.debug({ x: 1 }, "d");
  child.info({ attempt: 2 }, "i");
  child.warn({}, "w");
  child.error({ err: "e" });
  t.deepEqual(logger.entries, [
    { level: "debug", fields: { set: "a", attempt: 1, x: 1 }, message: "d" },
    { level: "info", fields: { set: "a", attempt: 2 }, message: "i" },
    { level: "warn", fields: { set: "a", attempt: 1 }, message: "w" },
    { level: "error", fields: { set: "a", attempt: 1, err: "e" }, message: undefined },
  ]);
});

test("where no logger is given there is one, and the same for all", (t) => {
  t.is(defaultLogger(), defaultLogger());
});
