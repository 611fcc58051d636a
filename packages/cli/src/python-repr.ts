/** Characters that Python's `str.isprintable` is false for, beside the space, which it is true for. */
const UNPRINTABLE = /[\p{C}\p{Z}]/u;
const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

/** Writes text as Python's `repr` does: in single quotes, or double ones where that saves escapes. */
export function textRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === quote) written += `\\${quote}`;
    else if (ESCAPES[character] !== undefined) written += ESCAPES[character];
    else if (character === " " || !UNPRINTABLE.test(character)) written += character;
    else if (code < 0x100) written += `\\x${hex(code, 2)}`;
    else written += code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  return `${quote}${written}${quote}`;
}

/** Writes bytes as Python's `repr` does: `b'ab\x00'`. */
export function bytesRepr(bytes: Uint8Array): string {
  const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f;
  const quote = bytes.includes(0x27) && !bytes.includes(0x22) ? '"' : "'";
  let written = "";
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (character === quote) written += `\\${quote}`;
    else written += ESCAPES[character] ?? (isPlain(byte) ? character : `\\x${hex(byte, 2)}`);
  }
  return `b${quote}${written}${quote}`;
}

/** Writes bytes as NumPy's `str` of a void does: every byte as `\x61`. */
export function hexRepr(bytes: Uint8Array): string {
  return `b'${Array.from(bytes, (byte) => `\\x${hex(byte, 2).toUpperCase()}`).join("")}'`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
