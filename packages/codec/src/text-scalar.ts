import type { ElementType } from "./element-type.ts";
import { encodeLatin1 } from "./latin1.ts";

/** Reads element `index` of a bytes array: a view without the NULs at its end, as NumPy gives it. */
export function bytesAt(data: Uint8Array, index: number, { itemSize }: ElementType): Uint8Array {
  const start = index * itemSize;
  let end = start + itemSize;
  while (end > start && data[end - 1] === 0) end--;
  return data.subarray(start, end);
}

/** Reads element `index` of a void array: a view of all its bytes. */
export function voidAt(data: Uint8Array, index: number, { itemSize }: ElementType): Uint8Array {
  return data.subarray(index * itemSize, (index + 1) * itemSize);
}

/** Writes bytes or latin-1 text as element `index`, with NULs behind. @throws RangeError where they do not fit. */
export function setBytes(data: Uint8Array, index: number, value: unknown, { itemSize }: ElementType): void {
  const bytes = typeof value === "string" ? encodeLatin1(value) : value;
  if (bytes === undefined && typeof value === "string") throw new RangeError("text past U+00FF is not latin-1");
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`an element of bytes is a Uint8Array or latin-1 text, not ${typeof value}`);
  if (bytes.length > itemSize) throw new RangeError(`an element holds ${itemSize} bytes, not ${bytes.length}`);
  data.fill(0, index * itemSize, (index + 1) * itemSize);
  data.set(bytes, index * itemSize);
}

/**
 * Reads element `index` of a text array without the NULs at its end. What is no code point, which NumPy can store, is
 * U+FFFD.
 */
export function textAt(data: Uint32Array, index: number, { stride }: ElementType): string {
  const start = index * stride;
  let end = start + stride;
  while (end > start && data[end - 1] === 0) end--;
  let text = "";
  for (let i = start; i < end; i++) {
    const code = data[i] as number;
    text += String.fromCodePoint(code > 0x10ffff ? 0xfffd : code);
  }
  return text;
}

/** Writes text as element `index`, a code point an entry, with NULs behind. @throws RangeError where it does not fit. */
export function setText(data: Uint32Array, index: number, value: unknown, { stride }: ElementType): void {
  if (typeof value !== "string") throw new TypeError(`an element of text is a string, not ${typeof value}`);
  const codes = Array.from(value, (character) => character.codePointAt(0) ?? 0);
  if (codes.length > stride) throw new RangeError(`an element holds ${stride} characters, not ${codes.length}`);
  data.fill(0, index * stride, (index + 1) * stride);
  data.set(codes, index * stride);
}
