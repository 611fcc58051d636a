/**
 * Allocates bytes that are not zeroed, in an `ArrayBuffer` of their own: zeroing new memory costs as much as filling it.
 *
 * Whoever asks for them fills them whole before anybody sees them.
 */
export function allocateBytes(byteLength: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(byteLength);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
