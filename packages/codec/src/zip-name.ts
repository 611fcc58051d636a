/** Code points of cp437's upper half, the encoding of names without the UTF-8 flag (APPNOTE appendix D). */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";

/** Decodes a member's name: UTF-8 where its flag says so, else cp437. */
export function decodeMemberName(bytes: Uint8Array, utf8: boolean): string {
  // A byte order mark is a part of the name like any other.
  if (utf8) return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  let name = "";
  for (const byte of bytes) name += byte < 0x80 ? String.fromCharCode(byte) : CP437[byte - 0x80];
  return name;
}

/**
 * Encodes a member's name in UTF-8 and tells whether it needs the flag for it.
 *
 * @throws TypeError for a name with a NUL, with half of a surrogate pair or of more than 65,535 bytes, which no archive can
 *   hold.
 */
export function encodeMemberName(name: string): {
  /** The name in UTF-8. */
  readonly bytes: Uint8Array;
  /** Whether it needs the flag: it has characters beyond ASCII. */
  readonly utf8: boolean;
} {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length > 0xffff) throw new TypeError(`a member's name is at most 65,535 bytes, not ${bytes.length}`);
  if (name.includes("\0"))
    throw new TypeError(`a member's name holds no NUL, as ${JSON.stringify(name.slice(0, 80))} does`);
  if (/\p{Cs}/u.test(name))
    throw new TypeError(
      `a member's name is whole characters, not half a pair as in ${JSON.stringify(name.slice(0, 80))}`,
    );
  return { bytes, utf8: bytes.length !== name.length };
}
