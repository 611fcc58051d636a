"""Writes the files that append.test.ts adds rows to, as NumPy and other programs have them: python3 append-files.py FOLDER"""

import json
import sys

import numpy as np
from numpy.lib import format as npy

folder = sys.argv[1]
random = np.random.default_rng(7)
cases = []


def case(name, whole, old, version=None, header=None, order="C"):
    """Saves `whole`, and `whole[:old]` as the file to append to; `header` rewrites the text of the latter."""
    begun, done = f"{folder}/{name}.npy", f"{folder}/{name}-whole.npy"
    for path, array in ((begun, whole[:old]), (done, whole)):
        with open(path, "wb") as file:
            npy.write_array(file, array, version=version)
    if header is not None:
        with open(begun, "wb") as file:
            text = header.encode("latin1")
            file.write(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + whole[:old].tobytes(order))
    cases.append({"name": name, "begun": begun, "whole": done, "old": old, "rewritten": header is not None})


def values(shape, dtype):
    return (random.standard_normal(shape) * 100).astype("i8").astype(dtype)


for name in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 longdouble complex64 complex128".split():
    case(f"le-{name}", values((12, 3), name), 9)
for descr in [">i2", ">i4", ">i8", ">u2", ">f2", ">f4", ">f8", ">c8", ">c16"]:
    case(f"be-{descr[1:]}", values((12, 3), descr), 5)
case("be-large", values((300000,), ">f4"), 99)
case("one-axis", values((1000,), "f4"), 0)
case("tens", values((100, 2), "f8"), 9)
case("version-2", values((11, 2), "f4"), 3, version=(2, 0))
case("version-3", values((11, 2), "f4"), 3, version=(3, 0))
case("text", np.array(["a", "bc", "日本", "", "x"] * 3, "U2"), 4)
case("text-be", np.array(["a", "bc", "日本", "", "x"] * 3, ">U2"), 4)
case("bytes", np.array([b"a", b"bc", b"", b"xyz"] * 3, "S3"), 4)
case("dates", np.arange(12).astype("M8[ms]"), 4)
mixed = np.zeros(12, [("shape", "<i4"), ("b", ">f8", (2,)), ("c", "S3"), ("é", ">u2")])
mixed["shape"], mixed["b"], mixed["c"], mixed["é"] = np.arange(12), random.random((12, 2)), b"abc", np.arange(12)
case("struct", mixed, 7)
case("no-bytes", np.zeros((12, 0), "f4"), 9)

plain = values((12, 3), "<f4")
case("other-order", plain, 9, header="{'shape':( 9,3) ,\"fortran_order\":False,u'descr':'<f4'}" + " " * 30 + "\n")
case("python-2", plain, 9, header="{'descr': '<f4', 'fortran_order': False, 'shape': (9L, 3L), }" + " " * 15 + "\n")
case("no-newline", plain, 9, header="{'descr': '<f4', 'fortran_order': False, 'shape': (9, 3), } ")
case("one-space", plain, 9, header="{'descr': '<f4', 'fortran_order': False, 'shape': (9, 3), } \n")
case("tight", plain, 9, header="{'descr': '<f4', 'fortran_order': False, 'shape': (9, 3), }\n")
np.save(f"{folder}/fortran.npy", np.asfortranarray(values((4, 3), "f8")))
np.save(f"{folder}/single.npy", np.float64(1))
with open(f"{folder}/sequence.npy", "wb") as file:
    np.save(file, np.arange(3))
    np.save(file, np.arange(4))
print(json.dumps(cases))
