import { readFileSync } from "node:fs";
import test from "ava";
import { askHugePages, keepFreedMemory } from "../src/huge-pages.ts";

/** Whether this kernel gives huge pages to whoever asks. */
function areHugePagesGiven(): boolean {
  try {
    return !readFileSync("/sys/kernel/mm/transparent_hugepage/enabled", "utf8").includes("[never]");
  } catch {
    return false;
  }
}

test.serial("large memory that was asked for takes few page faults, and holds what is written", (t) => {
  const bytes = new Uint8Array(Buffer.allocUnsafeSlow(64 << 20).buffer);
  askHugePages(bytes);
  const before = process.resourceUsage().minorPageFault;
  bytes.fill(7);
  const faults = process.resourceUsage().minorPageFault - before;
  t.is(bytes.lastIndexOf(7), bytes.length - 1);
  t.is(bytes.indexOf(0), -1);
  if (areHugePagesGiven()) t.true(faults < bytes.length / 4096 / 2, `${faults} faults`);
});

test.serial("short memory is left alone, and keeping freed memory twice does no harm", (t) => {
  const bytes = new Uint8Array(1000);
  askHugePages(bytes);
  t.is(keepFreedMemory(), keepFreedMemory());
  const chunks = Array.from({ length: 100 }, (_, i) => new Uint8Array(Buffer.allocUnsafeSlow(1 << 20).buffer).fill(i));
  t.true(chunks.every((chunk, i) => chunk[0] === i && chunk.at(-1) === i));
});
