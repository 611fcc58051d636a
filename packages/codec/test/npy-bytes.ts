/** Makes a `.npy` of version 2.0, which has room for a long header, with this dict and data. */
export function npy(dict: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = Buffer.from(`${dict}\n`, "latin1");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return new Uint8Array(Buffer.concat([Buffer.from("\x93NUMPY\x02\x00", "latin1"), length, text, data]));
}
