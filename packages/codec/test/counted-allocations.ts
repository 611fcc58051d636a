/**
 * Runs `act` and adds up the bytes of all that is allocated as a `Uint8Array` meanwhile, whether it is kept or not. Code that
 * took the constructor before is not counted.
 */
export function allocatedBytes(act: () => void): number {
  const original = globalThis.Uint8Array;
  let bytes = 0;
  const counting = {
    construct(target: typeof Uint8Array, args: readonly unknown[], newTarget: unknown): object {
      const made = Reflect.construct(
        target,
        args,
        newTarget === globalThis.Uint8Array ? target : (newTarget as typeof target),
      );
      if (!(args[0] instanceof ArrayBuffer)) bytes += (made as Uint8Array).byteLength;
      return made as object;
    },
  };
  globalThis.Uint8Array = new Proxy(original, counting);
  try {
    act();
  } finally {
    globalThis.Uint8Array = original;
  }
  return bytes;
}
