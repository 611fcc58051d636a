"""Writes one logical array a dtype and shape in every form it can be stored in, and prints requests with NumPy's answers.

python3 storage-forms.py FOLDER SEED
"""

import json
import sys

import numpy as np

folder, seed = sys.argv[1], int(sys.argv[2])
random = np.random.default_rng(seed)


def plain(values):
    values = np.asarray(values)
    if values.dtype.kind == "c":
        return np.stack([values.real, values.imag], -1).tolist()
    return values.astype("f8").tolist() if values.dtype.kind == "f" else values.tolist()


def bound(extent):
    return None if random.random() < 0.25 else int(random.integers(-extent - 2, extent + 3))


def axis_range(extent, most):
    """A random selection of an axis: all of it, one index, or a range with a step; of a long axis at most `most`."""
    kind = random.random()
    if extent > 0 and kind < 0.2:
        return int(random.integers(-extent, extent))
    if extent > most:
        start = int(random.integers(0, extent))
        step = int(random.integers(1, 400)) * (1 if random.random() < 0.7 else -1)
        stop = start + step * int(random.integers(0, most))
        return [start, stop if stop >= 0 else None, step]
    if kind < 0.4:
        return None
    step = int(random.integers(1, 4)) * (1 if random.random() < 0.7 else -1)
    return [bound(extent), bound(extent), step]


def slice_request(a, most):
    count = random.integers(0, a.ndim + 1)
    ranges = [axis_range(extent, most) for extent in a.shape[:count]]
    if a.shape[0] > most and not ranges:
        ranges = [axis_range(a.shape[0], most)]
    index = tuple(slice(None) if r is None else r if isinstance(r, int) else slice(*r) for r in ranges)
    answer = a[index]
    return {"kind": "slice", "ranges": ranges, "shape": list(np.shape(answer)), "values": plain(answer)}


def requests(a, slices, most):
    n = len(a)
    out = [slice_request(a, most) for _ in range(slices)]
    for _ in range(4):
        start = int(random.integers(0, n))
        stop = int(min(n, start + random.integers(0, most)))
        out.append({"kind": "rows", "start": start, "stop": stop, "values": plain(a[start:stop])})
    for count in (0, 1, 5, most):
        indices = random.integers(0, n, count)
        out.append({"kind": "gather", "indices": indices.tolist(), "values": plain(a[indices])})
    return out


def forms(a, name):
    base = f"{folder}/{name}"
    big = a.astype(a.dtype.newbyteorder(">"))
    np.save(f"{base}.c.npy", a)
    np.save(f"{base}.f.npy", np.asfortranarray(a))
    np.save(f"{base}.big.npy", big)
    np.save(f"{base}.bigf.npy", np.asfortranarray(big))
    np.savez(f"{base}.stored.npz", other=np.arange(3), a=a, f=np.asfortranarray(a))
    np.savez_compressed(f"{base}.deflated.npz", other=np.arange(3), a=a, f=np.asfortranarray(a))
    n = len(a)
    for i, part in enumerate([a[: n // 3], a[n // 3 : n // 3], a[n // 3 : n // 2], a[n // 2 :]]):
        np.save(f"{base}.shard{i}.npy", np.asfortranarray(part.astype(part.dtype.newbyteorder(">"))) if i == 2 else part)


def case(a, name, slices, most):
    forms(a, name)
    whole = plain(a) if a.size <= 1000 else None
    return {"name": name, "shape": a.shape, "whole": whole, "requests": requests(a, slices, most)}


cases = []
for dtype in ["f4", "i8", "c16", "?", "f2", "u2"]:
    for shape in [(257,), (101, 3), (40, 5, 7), (9, 1)]:
        a = random.standard_normal(shape) * 100
        a = a > 0 if dtype == "?" else np.abs(a).astype(dtype) if dtype[0] == "u" else a.astype(dtype)
        cases.append(case(a, f"{dtype.replace('?', 'b')}-{'x'.join(map(str, shape))}", 12, 1000))
# Long enough for many blocks of a deflated member, for gaps that are read along and gaps that are not.
long = (random.integers(0, 1000, (30_000, 11, 3)) * 0.5).astype("f4")
cases.append(case(long, "long", 60, 20))
print(json.dumps(cases))
