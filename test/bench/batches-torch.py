"""PyTorch's side of the measurements of batches: PYTHON batches-torch.py TASK FOLDER, with a Python that has torch."""

import json
import os
import resource
import sys
import time

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

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


def loader():
    arrays = [torch.from_numpy(np.load(at(name))) for name in ("256m.npy", "labels.npy")]
    return DataLoader(TensorDataset(*arrays), batch_size=SIZE, shuffle=True)


if task == "batches-epoch":
    loaded = loader()
    measure(lambda: sum(len(y) for _, y in loaded))
elif task == "batches-first":
    measure(lambda: len(next(iter(loader()))[1]))
else:
    sys.exit(f"no task {task}")
