"""NumPy's side of the measurements of batches: python3 batches-numpy.py TASK FOLDER. `make` writes what only they need."""

import json
import os
import resource
import sys
import time

import numpy as np

task, folder = sys.argv[1:3]
SIZE = 1024


def at(name):
    return os.path.join(folder, name)


def measure(work):
    start = time.perf_counter()
    checksum = work()
    ms = (time.perf_counter() - start) * 1e3
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"ms": ms, "checksum": str(checksum), "rssBytes": usage.ru_maxrss * 1024, "cpuSeconds": usage.ru_utime + usage.ru_stime}))


def make():
    if os.path.exists(at("batches-made")):
        return
    x = np.load(at("256m.npy"))
    np.save(at("rows-64.npy"), x.reshape(-1, 16))
    np.save(at("rows-16k.npy"), x.reshape(-1, 4096))
    np.save(at("doubles.npy"), x[: 1 << 16].astype("f8"))
    np.save(at("doubles-labels.npy"), np.arange(1 << 16))
    open(at("batches-made"), "w").close()


def epoch(arrays, casts=()):
    order = np.random.default_rng(1).permutation(len(arrays[0]))
    rows = 0
    for i in range(0, len(order), SIZE):
        ids = order[i : i + SIZE]
        batch = [x[ids].astype(to) if to else x[ids] for x, to in zip(arrays, casts or [None] * len(arrays))]
        rows += len(batch[0])
    return rows


def first():
    x, y = np.load(at("256m.npy"), mmap_mode="r"), np.load(at("labels.npy"), mmap_mode="r")
    ids = np.random.default_rng(1).permutation(len(x))[:SIZE]
    return min(len(x[ids]), len(y[ids]))


def resume():
    # A tenth of the rows: the index of 10^9 takes 8 GB.
    order = np.random.default_rng(1).permutation(10**8)
    return 2 * sum(len(order[int(len(order) * part) :][:SIZE]) for part in (0.1, 0.5, 0.99))


if task == "make":
    make()
elif task in ("batches-epoch", "batches-memory"):
    loaded = [np.load(at("256m.npy")), np.load(at("labels.npy"))]
    measure(lambda: epoch(loaded))
elif task == "batches-cold":
    mapped = [np.load(at("256m.npy"), mmap_mode="r"), np.load(at("labels.npy"), mmap_mode="r")]
    measure(lambda: epoch(mapped))
elif task in ("batches-rows-64", "batches-rows-16k"):
    rows = [np.load(at(f"{task[8:]}.npy"))]
    measure(lambda: epoch(rows))
elif task == "batches-cast":
    doubles = [np.load(at("doubles.npy")), np.load(at("doubles-labels.npy"))]
    measure(lambda: epoch(doubles, ("f4", "i4")))
elif task == "batches-first":
    measure(first)
elif task == "batches-resume":
    measure(resume)
else:
    sys.exit(f"no task {task}")
