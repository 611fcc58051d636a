"""NumPy's side: reads a line `CASE REPEATS`, does the work, answers a line of JSON with its time and the CRC-32 of what it made."""

import io
import json
import statistics
import sys
import time
import zlib

import numpy as np

MIB = 1 << 20
STRUCT = [("x", "<f4"), ("y", "<f4"), ("label", "<i8")]


def words(count):
    """The bytes that all sides work on: whole numbers below 2^32, spread."""
    return ((np.arange(count, dtype="u8") * 2654435761) & 0xFFFFFFFF).astype("u4")


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(array):
    file = io.BytesIO()
    np.savez_compressed(file, x=array)
    return file.getvalue()


def header(descr, length):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": (length,)})
    return file.getvalue()


def parse(headers):
    total = 0
    for text in headers:
        file = io.BytesIO(text)
        np.lib.format.read_magic(file)
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        total += shape[0] * dtype.itemsize
    return str(total).encode()


def format_all(descr):
    return b"".join(header(descr, 64 + i) for i in range(1000))


def cast(source, target):
    out = np.empty(source.shape, target)

    def work():
        np.copyto(out, source, casting="unsafe")
        return out

    return work


floats = (words(MIB) / 2.0**32 - 0.5).astype("f4")
halves = floats.astype("f2")
longs = np.arange(MIB, dtype="i8") * 3 - 1000
buffers = {size: words(size // 4) for size in (MIB, 16 * MIB)}
same = [header("<f4", 64)] * 1000
different = [header("<f4", 64 + i) for i in range(1000)]
structs = [header(STRUCT, 64 + i) for i in range(1000)]
arrays = {size: npy(words(size // 4).view("f4")) for size in (MIB, 64 * MIB)}
archive = npz((words(MIB) >> 26).astype("f4"))

cases = {
    "parse-same": lambda: parse(same),
    "parse-different": lambda: parse(different),
    "parse-struct": lambda: parse(structs),
    "format": lambda: format_all("<f4"),
    "format-struct": lambda: format_all(STRUCT),
    "f16-f32": cast(halves, "f4"),
    "f32-f16": cast(floats, "f2"),
    "i64-i32": cast(longs, "i4"),
    "i64-f64": cast(longs, "f8"),
    "f16-f32-new": lambda: halves.astype("f4"),
    "i64-i32-new": lambda: longs.astype("i4"),
    "i64-f64-new": lambda: longs.astype("f8"),
    "crc32": lambda: str(zlib.crc32(buffers[16 * MIB])).encode(),
    "decode-1": lambda: np.load(io.BytesIO(arrays[MIB])),
    "decode-64": lambda: np.load(io.BytesIO(arrays[64 * MIB])),
    "npz-deflated": lambda: np.load(io.BytesIO(archive))["x"],
}
for size in buffers:
    for unit in (2, 4, 8):
        view = buffers[size].copy().view(f"u{unit}")
        cases[f"swap{unit}-{size // MIB}"] = lambda view=view: view.byteswap(inplace=True)

if sys.argv[1:] == ["archive"]:
    sys.stdout.buffer.write(archive)
    sys.exit()
print(json.dumps(["%d.%d.%d" % sys.version_info[:3], np.__version__]), flush=True)
for line in sys.stdin:
    name, repeats = line.split()
    work = cases[name]
    times = []
    for _ in range(int(repeats)):
        start = time.perf_counter()
        made = work()
        times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({"ms": statistics.median(times), "checksum": zlib.crc32(made)}), flush=True)
