import { encodeZip } from "@npystream/codec";
import { changed, hostileNumber, putNumber } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** Records of APPNOTE 6.3.10 sections 4.3.7 to 4.3.16 by the last two bytes of their signature, with their fields. */
const RECORDS: ReadonlyMap<number, readonly (readonly [offset: number, width: number])[]> = new Map([
  [0x0403, [...[4, 6, 8].map(u16), ...[14, 18, 22].map(u32), u16(26), u16(28), u32(30), u32(34)]],
  [
    0x0201,
    [...[4, 6, 8, 10].map(u16), ...[16, 20, 24].map(u32), ...[28, 30, 32, 34].map(u16), u32(42), u32(50), u16(52)],
  ],
  [0x0605, [...[4, 6, 8, 10].map(u16), u32(12), u32(16), u16(20)]],
  [0x0606, [...[4, 24, 32, 40, 48].map(u64), u32(16), u32(20)]],
  [0x0706, [u32(4), u64(8), u32(16)]],
]);

/** Sets fields of ZIP records to numbers that lie; bytes without such records are left as they are. */
export function mutateRecords(bytes: Uint8Array, random: Random): Uint8Array {
  const records = findRecords(bytes);
  if (records.length === 0) return bytes;
  return changed(bytes, (copy) => {
    for (let i = random.below(3); i >= 0; i--) {
      const { at, fields } = random.pick(records);
      const [offset, width] = random.pick(fields);
      putNumber(copy, at + offset, width, fieldValue(copy, at + offset, width, random));
    }
  });
}

/** Puts a file into an archive whose records are true, so that what is wrong in it is met behind the checksum. */
export function wrapInArchive(bytes: Uint8Array, random: Random): Uint8Array {
  const inputs = [{ name: random.pick(["x.npy", "x", "a/b.npy"]), content: [bytes] }];
  return Buffer.concat(encodeZip(inputs, { compress: random.oneIn(2) }));
}

interface ZipRecord {
  readonly at: number;
  readonly fields: readonly (readonly [offset: number, width: number])[];
}

function findRecords(bytes: Uint8Array): ZipRecord[] {
  const records: ZipRecord[] = [];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = buffer.indexOf("PK"); at >= 0 && records.length < 1000; at = buffer.indexOf("PK", at + 2)) {
    const fields = at + 4 <= bytes.length ? RECORDS.get(buffer.readUInt16LE(at + 2)) : undefined;
    if (fields !== undefined) records.push({ at, fields });
  }
  return records;
}

/** What is there and one more or less, what another field has, or a hostile number. */
function fieldValue(bytes: Uint8Array, at: number, width: number, random: Random): bigint {
  let value = 0n;
  for (let i = Math.min(width, bytes.length - at) - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  if (random.oneIn(3)) return BigInt.asUintN(8 * width, value + BigInt(random.pick([-1, 1, 2, -30, 30, 64])));
  if (random.oneIn(4)) return value ^ (1n << BigInt(random.below(8 * width)));
  return hostileNumber(random, bytes.length);
}

function u16(offset: number): readonly [number, number] {
  return [offset, 2];
}

function u32(offset: number): readonly [number, number] {
  return [offset, 4];
}

function u64(offset: number): readonly [number, number] {
  return [offset, 8];
}
