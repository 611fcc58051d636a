import { execFileSync } from "node:child_process";

/** One file that `np.save` wrote. */
export interface Reference {
  readonly path: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly order: "C" | "F";
}

const program = `
import json, sys
import numpy as np
rng = np.random.default_rng(11)
names = 'bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 longdouble complex64 complex128 clongdouble'
out = []
for name in names.split():
    for shape in [(), (0,), (1,), (7,), (5, 3), (4, 0), (0, 3), (7, 1), (6, 2, 5), (3, 0, 2), (5, 2, 1, 4)]:
        for order in 'CF':
            a = np.asarray((rng.standard_normal(shape) * 100).astype('i8' if name[0] in 'iu' else 'f8').astype(name), order=order)
            path = f'{sys.argv[1]}/reference-{len(out)}.npy'
            np.save(path, a)
            out.append({'path': path, 'dtype': a.dtype.name, 'shape': shape, 'order': order})
print(json.dumps(out))
`;

/** Has NumPy save every numeric dtype and bool, rank 0 to 4, zero-size shapes, both orders, into `folder`. */
export function makeReferences(folder: string): readonly Reference[] {
  return JSON.parse(python(program, folder));
}

/** Runs a Python program with arguments and gives what it prints. */
export function python(text: string, ...args: readonly string[]): string {
  return execFileSync("python3", ["-W", "ignore", "-c", text, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
}
