"""Writes the files that the documentation's snippets work on into the folder given: python3 make-fixtures.py FOLDER"""

import os
import sys

import numpy as np

folder = sys.argv[1]
random = np.random.default_rng(2026)


def features(rows, columns):
    return random.standard_normal((rows, columns)).astype(np.float32)


def labels(rows):
    return random.integers(0, 10, rows).astype(np.int64)


def path(*names):
    os.makedirs(os.path.join(folder, *names[:-1]), exist_ok=True)
    return os.path.join(folder, *names)


# base: in every folder
x, y = features(1000, 64), labels(1000)
np.save(path("base", "features.npy"), x)
np.save(path("base", "labels.npy"), y)
np.savez(path("base", "set.npz"), features=x, labels=y)

# shards: an array cut into four files
for shard in range(4):
    np.save(path("shards", f"features-{shard:05}.npy"), x[shard * 250 : (shard + 1) * 250])
    np.save(path("shards", f"labels-{shard:05}.npy"), y[shard * 250 : (shard + 1) * 250])

# incoming: a folder that other programs dropped pairs into; the last features have no labels yet
for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
    np.save(path("incoming", "incoming", f"{day}.features.npy"), features(100, 64))
    np.save(path("incoming", "incoming", f"{day}.labels.npy"), labels(100))
np.save(path("incoming", "incoming", "2026-01-04.features.npy"), features(100, 64))

# broken: a file cut off in the middle of its data
np.save(path("broken", "broken.npy"), x)
os.truncate(path("broken", "broken.npy"), 1000)
