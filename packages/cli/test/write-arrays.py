"""Writes arrays of every dtype, byte order, memory order and rank: python3 write-arrays.py FOLDER

Prints the paths as a JSON list.
"""

import json
import os
import sys

import numpy as np

folder = sys.argv[1]
random = np.random.default_rng(11)
NAMES = ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NAMES += ["float16", "float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"]
NAMES += ["M8[Y]", "M8[D]", "M8[h]", "M8[s]", "M8[ns]", "M8[25s]", "m8[s]", "m8[ns]", "S5", "U4", "V3"]
RECORD = [("x", "f4"), ("n", "i8", (2,)), ("when", "M8[s]"), ("inner", [("name", "U3"), ("z", "c8"), ("ok", "?")])]
SHAPES = [(), (5,), (3, 4), (2, 3, 4), (2, 1, 3, 2), (1, 1), (0,), (0, 3), (3, 0), (2, 0, 3), (2, 3, 0)]


def numbers(name, shape):
    dtype = np.dtype(name)
    count = int(np.prod(shape))
    if dtype.kind in "Mm":
        flat = random.integers(-(10**4), 10**4, count).astype(dtype)
        flat[:1] = "NaT"
    elif dtype.kind == "S":
        flat = np.array([b"", b"a\x00b", b"\xe9\xff", b'q"u', b"x,y"], dtype)[random.integers(0, 5, count)]
    elif dtype.kind == "U":
        flat = np.array(["", "a\x00b", "\u00fc\U0001f600", 'q"u', "\n,\x1b "], dtype)[random.integers(0, 5, count)]
    elif dtype.names is not None:
        flat = np.zeros(count, dtype)
        for field in dtype.names:
            inner, shape_of_field = dtype[field].subdtype or (dtype[field], ())
            flat[field] = numbers(inner, (count, *shape_of_field))
    elif dtype.kind == "V":
        flat = np.frombuffer(random.bytes(count * dtype.itemsize), dtype)
    elif dtype.kind == "b":
        flat = random.integers(0, 2, count)
    elif dtype.kind in "iu":
        info = np.iinfo(dtype)
        flat = random.integers(info.min, info.max, count, dtype=dtype, endpoint=True)
        flat[:2] = [info.min, info.max][: len(flat[:2])]
    else:
        flat = floats(count).astype(dtype)
        if dtype.kind == "c":
            flat.imag = floats(count)[::-1]
    return np.array(flat, dtype).reshape(shape)


def floats(count):
    values = random.standard_normal(count) * 10.0 ** random.integers(-4, 4, count)
    special = [-0.0, np.nan, np.inf, -np.inf, 1.0, 0.1]
    random.shuffle(special)
    values[: len(special)] = special[: count]
    return values


paths = []
for name in [*NAMES, RECORD]:
    for shape in SHAPES:
        # Order is nothing to arrays of one axis, nor byte order to empty ones.
        for order in "CF" if len(shape) > 1 else "C":
            for swapped in (False, True) if np.prod(shape) > 0 else (False,):
                array = np.asarray(numbers(name, shape), order=order)
                if swapped:
                    array = array.astype(array.dtype.newbyteorder())
                path = os.path.join(folder, f"{len(paths)}.npy")
                np.save(path, array)
                paths.append(path)
print(json.dumps(paths))
