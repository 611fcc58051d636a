/** Decodes bytes as latin-1 (ISO 8859-1), where each byte is the code point of its value. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** Encodes text as latin-1; `undefined` where a character is past U+00FF. */
export function encodeLatin1(text: string): Uint8Array | undefined {
  if (/[\u0100-\uffff]/.test(text)) return undefined;
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
