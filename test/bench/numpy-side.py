"""NumPy's side of each measurement: python3 numpy-side.py TASK FOLDER. `make` writes what all sides work on."""

import glob
import json
import os
import resource
import sys
import time

import numpy as np

task, folder = sys.argv[1:3]


def at(name):
    return os.path.join(folder, name)


def measure(work):
    start = time.perf_counter()
    checksum = work()
    ms = (time.perf_counter() - start) * 1e3
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"ms": ms, "checksum": str(checksum), "rssBytes": usage.ru_maxrss * 1024, "cpuSeconds": usage.ru_utime + usage.ru_stime}))


def make_sparse():
    """10^9 rows of 8 bytes, all zeros, which take no room on the disk."""
    if os.path.exists(at("sparse.npy")):
        return
    with open(at("sparse.npy"), "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<i8", "fortran_order": False, "shape": (10**9,)})
        file.truncate(file.tell() + 8 * 10**9)


def make():
    make_sparse()
    if os.path.exists(at("made")):
        return
    random = np.random.default_rng(1)
    # Whole numbers, so that sums do not depend on the order of addition, and text-like redundancy for deflate.
    x = random.integers(0, 64, (1 << 18, 256)).astype("f4")
    np.save(at("256m.npy"), x)
    np.save(at("64m.npy"), x[: 1 << 16])
    np.save(at("labels.npy"), np.arange(1 << 18))
    big = np.lib.format.open_memmap(at("1g.npy"), "w+", "f4", (1 << 20, 256))
    for i in range(4):
        big[i << 18 : (i + 1) << 18] = x
    parts = {name: x[i << 16 : (i + 1) << 16] for i, name in enumerate("abcd")}
    np.savez(at("stored.npz"), **parts)
    np.savez_compressed(at("deflated.npz"), **parts)
    os.makedirs(at("small"))
    for i in range(10_000):
        np.save(at(f"small/{i:05}.npy"), x[i, :64])
    os.makedirs(at("pairs"))
    for i in range(50_000):
        np.save(at(f"pairs/{i:06}.features.npy"), x[i, :32].reshape(8, 4))
        np.save(at(f"pairs/{i:06}.labels.npy"), np.arange(8) + 1)
    open(at("made"), "w").close()


def ends(array):
    return f"{array.flat[0]:g} {array.flat[-1]:g}"


def stream():
    x = np.load(at("1g.npy"), mmap_mode="r")
    return sum(np.array(x[i : i + 1024]).nbytes for i in range(0, len(x), 1024))


def map_row():
    total = 0.0
    for i in range(300):
        x = np.load(at("1g.npy"), mmap_mode="r")
        total += float(x[i * 1000].sum(dtype="f8"))
    return "%.0f" % total


def npz_slice():
    # The same bytes for both sides: an ordinary deflate stream, whose block table NumPy does not know.
    with np.load(at("blocks.npz")) as z:
        return "%.0f" % z["array"][131_072:132_072].sum(dtype="f8")


def npz_deflated():
    with np.load(at("deflated.npz")) as z:
        return " ".join(f"{z[name].flat[-1]:g}" for name in z.files)


def rows():
    # The way of npy-append-array: a header with room, then rows appended to the open file.
    row = np.zeros(128, "f4")
    with open(at("numpy-rows.npy"), "wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (0, 128)})
        for i in range(1_000_000):
            row[0] = i
            file.write(row.data)
        file.seek(0)
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 128)})
    return 1_000_000


def discover():
    pairs = 0
    for path in glob.glob(at("pairs/*.features.npy")):
        features = np.load(path, mmap_mode="r")
        labels = np.load(path.replace("features", "labels"), mmap_mode="r")
        pairs += len(features) == len(labels)
    return pairs


def pipeline():
    x = np.load(at("1g.npy"), mmap_mode="r")
    y = np.lib.format.open_memmap(at("numpy-piped.npy"), "w+", x.dtype, x.shape)
    for i in range(0, len(x), 1024):
        y[i : i + 1024] = x[i : i + 1024] * np.float32(2) * np.float32(0.5) * np.float32(3)
    y.flush()
    return x.nbytes


if task != "make":
    # Loads what is loaded when it is first needed, as the other side does.
    np.load(at("labels.npy"), mmap_mode="r")

if task == "make":
    make()
elif task == "load":
    measure(lambda: ends(np.load(at("256m.npy"))))
elif task == "load-sum":
    measure(lambda: "%.0f" % np.load(at("256m.npy")).sum(dtype="f8"))
elif task == "map-row":
    measure(map_row)
elif task == "npz-mapped":
    measure(lambda: ends(np.load(at("aligned.npz"))["c"]))
elif task == "npz-slice":
    measure(npz_slice)
elif task == "stream":
    measure(stream)
elif task == "npz-stored":
    measure(lambda: ends(np.load(at("stored.npz"))["c"]))
elif task == "npz-deflated":
    measure(npz_deflated)
elif task in ("save", "savez", "savez-deflated"):
    x = np.load(at("64m.npy" if task == "savez-deflated" else "256m.npy"))
    write = {"save": np.save, "savez": np.savez, "savez-deflated": np.savez_compressed}[task]
    measure(lambda: (write(at(f"numpy-{task}.npz" if "z" in task else "numpy-out.npy"), x), x.nbytes)[1])
elif task == "rows":
    measure(rows)
elif task == "small-files":
    measure(lambda: sum(np.load(path).nbytes for path in glob.glob(at("small/*.npy"))))
elif task == "discover":
    measure(discover)
elif task == "pipeline":
    measure(pipeline)
else:
    sys.exit(f"no task {task}")
