"""Writes files of which each has one fault: python3 write-broken.py FOLDER

Prints as JSON [name, code of the fault, member it is in or null] of each.
"""

import io
import json
import os
import struct
import sys
import zipfile

import numpy as np

os.chdir(sys.argv[1])
listed = []


def write(name, data, code, member=None):
    with open(name, "wb") as file:
        file.write(data)
    listed.append([name, code, member])


def npy(array, **how):
    file = io.BytesIO()
    np.save(file, array, **how)
    return file.getvalue()


def header(text, data=b"", version=1):
    text = text.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def shaped(shape, descr="'<f8'"):
    return header(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}")


def npz(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return bytearray(file.getvalue())


def zipped(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return bytearray(file.getvalue())


def flip(data, at):
    data[at] ^= 0x40
    return data


def put(data, at, form, value):
    struct.pack_into(form, data, at, value)
    return data


def where(data):
    """Positions of an archive's first member: local header, content, and its entry in the directory."""
    name, extra = struct.unpack_from("<HH", data, 26)
    return 0, 30 + name + extra, data.index(b"PK\x01\x02")


array = npy(np.arange(100.0))
write("magic.npy", b"not an array at all", "ERR_NPY_MAGIC")
write("version.npy", b"\x93NUMPY\x09\x00" + bytes(8), "ERR_NPY_VERSION")
write("header.npy", shaped("__import__('os').getcwd()"), "ERR_NPY_HEADER")
write("dtype.npy", shaped("(3,)", "'<q9'"), "ERR_NPY_DTYPE")
write("shape.npy", shaped("(9007199254740991, 9007199254740991)"), "ERR_NPY_SHAPE")
write("object.npy", npy(np.array([{}, []], object), allow_pickle=True), "ERR_NPY_OBJECT")
write("empty.npy", b"", "ERR_NPY_TRUNCATED")
write("cut-header.npy", array[:100], "ERR_NPY_TRUNCATED")
write("cut-data.npy", array[:-1], "ERR_NPY_TRUNCATED")
write("long-header.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 30), "ERR_LIMIT_HEADER")
write("depth.npy", shaped("(" * 100), "ERR_LIMIT_DEPTH")
write("rank.npy", shaped("(" + "1, " * 65 + ")"), "ERR_LIMIT_RANK")

three = dict(features=np.ones((50, 4)), labels=np.arange(50), weights=np.full(50, 0.5))
stored, deflated = npz(**three), npz(np.savez_compressed, **three)
write("no-end.npz", stored[:-1], "ERR_NPZ_DIRECTORY")
write("cut.npz", stored[:1000], "ERR_NPZ_DIRECTORY")
end64 = struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 70000, 70000, 0, 0)
locator = struct.pack("<IIQI", 0x07064B50, 0, 4, 1)
end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0, 0, 0)
write("members.npz", b"PK\x03\x04" + end64 + locator + end, "ERR_LIMIT_MEMBERS")
one = npz(x=np.arange(10))
_, content, entry = where(one)
write("encrypted.npz", put(one.copy(), entry + 8, "<H", 1), "ERR_NPZ_ENCRYPTED", "x")
write("method.npz", zipped(("x.npy", array), method=zipfile.ZIP_BZIP2), "ERR_NPZ_METHOD", "x")
write("duplicate.npz", zipped(("x.npy", array), ("x.npy", array)), "ERR_NPZ_DUPLICATE", "x")
write("crc-data.npz", flip(one.copy(), content + 130), "ERR_NPZ_CRC", "x")
write("crc-header.npz", flip(one.copy(), content + 15), "ERR_NPZ_CRC", "x")
notes = zipped(("notes.txt", "no array"), ("x.npy", array))
write("crc-notes.npz", flip(notes.copy(), where(notes)[1]), "ERR_NPZ_CRC", "notes.txt")
write("member-magic.npz", zipped(("x.npy", "no array")), "ERR_NPY_MAGIC", "x")
write("member-empty.npz", zipped(("x.npy", "")), "ERR_NPY_TRUNCATED", "x")
write("member-cut.npz", zipped(("x.npy", array[:-8])), "ERR_NPY_TRUNCATED", "x")
write("member-cut-deflated.npz", zipped(("x.npy", array[:-8]), method=zipfile.ZIP_DEFLATED), "ERR_NPY_TRUNCATED", "x")
write("member-longer.npz", zipped(("x.npy", array + b"more")), "ERR_NPZ_SIZE", "x")
write("member-object.npz", npz(x=np.array([{}], object)), "ERR_NPY_OBJECT", "x")

text = zipped(("notes.txt", "many words " * 100), method=zipfile.ZIP_DEFLATED)
_, content, entry = where(text)
local = 0
size, = struct.unpack_from("<I", text, entry + 24)
write("deflate.npz", put(text.copy(), content, "<B", 0xFF), "ERR_NPZ_DEFLATE", "notes.txt")
for name, other in [("inflates-to-more", size - 1), ("inflates-to-less", size + 1), ("bomb", 1 << 30)]:
    lying = put(put(text.copy(), local + 22, "<I", other), entry + 24, "<I", other)
    write(f"{name}.npz", lying, "ERR_NPZ_SIZE", "notes.txt")
# Bytes behind the end of the deflate stream that still count as the member's.
packed, = struct.unpack_from("<I", text, entry + 20)
padded = text[: content + packed] + b"more" + text[content + packed :]
put(put(padded, local + 18, "<I", packed + 4), entry + 4 + 20, "<I", packed + 4)
put(padded, len(padded) - 6, "<I", entry + 4)
write("early-end.npz", padded, "ERR_NPZ_SIZE", "notes.txt")

plain = zipped(("notes.txt", "no array"))
for name, at, form, value in [
    ("flags", 6, "<H", 1),
    ("method", 8, "<H", 8),
    ("crc", 14, "<I", 1),
    ("compressed-size", 18, "<I", 1),
    ("size", 22, "<I", 1),
    ("name", 30, "<B", ord("N")),
]:
    write(f"local-{name}.npz", put(plain.copy(), at, form, value), "ERR_NPZ_DIRECTORY", "notes.txt")
write("local-signature.npz", put(notes.copy(), notes.rindex(b"PK\x03\x04"), "<I", 0), "ERR_NPZ_DIRECTORY", "x")
zip64 = npz(x=np.arange(10))
extra = 30 + len("x.npy")
write("local-zip64.npz", put(zip64, extra + 4, "<Q", 5), "ERR_NPZ_DIRECTORY", "x")


class Unseekable(io.RawIOBase):
    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


streamed = Unseekable()
np.savez(streamed, x=np.arange(10))
write("descriptor.npz", flip(streamed.data, streamed.data.index(b"PK\x07\x08") + 4), "ERR_NPZ_DIRECTORY", "x")

# Not in the list, since what is bad of them depends on what is asked.
open("trailing.npy", "wb").write(array + array + b"more")
np.savez("three.npz", **three)
np.savez_compressed("three-deflated.npz", **three)
np.savez_compressed("fortran.npz", x=np.asfortranarray(np.random.default_rng(0).random((700, 900))))
with open("streamed.npz", "wb") as file:
    stream = Unseekable()
    np.savez_compressed(stream, **three)
    file.write(stream.data)
open("notes.npz", "wb").write(zipped(("notes.txt", "no array"), ("x.npy", array), ("\u00e9.npy", array)))
flipped = bytearray(open("three.npz", "rb").read())
open("flipped.npz", "wb").write(flip(flipped, flipped.index(np.arange(50).tobytes()) + 8))
flip(flipped, flipped.index(np.full(50, 0.5).tobytes()) + 8)
open("flipped-twice.npz", "wb").write(flipped)
print(json.dumps(listed))
