"""Compares what the command printed with the arrays that NumPy loads: python3 check-values.py PRINTED

PRINTED holds JSON lines {"path", "json", "ndjson", "csv", "columns"}, the last four being the outputs. Prints one line
of JSON: a list of what differs.
"""

import csv
import io
import json
import math
import sys

import numpy as np

csv.field_size_limit(1 << 30)


def same(value, expected):
    """Whether a JSON value is what the command promises for an element."""
    dtype = expected.dtype
    kind, size = dtype.kind, dtype.itemsize
    if kind == "b":
        return value is bool(expected)
    if kind in "iu":
        return value == str(expected) if size == 8 else type(value) is int and value == expected
    if kind == "c":
        return same(value[0], expected.real) and same(value[1], expected.imag)
    if kind == "f":
        return same_float(float(value) if value in ("NaN", "Infinity", "-Infinity") else value, expected)
    if kind == "m":
        return value == str(expected.astype("i8"))
    if dtype.names is not None:
        names = tuple(value) == dtype.names
        return names and all(same_nested(value[name], np.asarray(expected[name])) for name in dtype.names)
    return value == text_of(expected)


def text_of(expected):
    kind = expected.dtype.kind
    if kind == "M":
        return str(expected)
    return bytes(expected).decode("latin-1") if kind == "S" else bytes(expected).hex() if kind == "V" else str(expected)


def same_float(value, expected):
    expected = float(expected)
    if type(value) is not float:
        return False
    if math.isnan(expected):
        return math.isnan(value)
    return value == expected and math.copysign(1, value) == math.copysign(1, expected)


def same_nested(values, array):
    if array.ndim == 0:
        return same(values, array[()] if isinstance(array, np.ndarray) else array)
    return len(values) == len(array) and all(same_nested(v, a) for v, a in zip(values, array))


def same_word(word, expected, spelling):
    if isinstance(expected, (bool, np.bool_)):
        return word == {"csv": ("false", "true"), "columns": ("False", "True")}[spelling][int(expected)]
    if isinstance(expected, np.complexfloating):
        value = complex(word)
        return same_rounded(value.real, expected.real, spelling) and same_rounded(value.imag, expected.imag, spelling)
    if isinstance(expected, np.floating):
        return same_rounded(float(word), expected, spelling)
    kind = expected.dtype.kind
    if kind == "m":
        return word == ("NaT" if spelling == "columns" and np.isnat(expected) else str(expected.astype("i8")))
    if kind in "MSUV":
        return word == text_of(expected)
    return word == str(expected)


def leaves(element):
    """The values of a record, or the value itself."""
    if element.dtype.names is None:
        return [element]
    return [leaf for name in element.dtype.names for part in np.asarray(element[name]).ravel() for leaf in leaves(part)]


def same_rounded(value, expected, spelling):
    """Columns hold the shortest text of the element's own precision, CSV the exact double."""
    if spelling == "columns" and expected.dtype.itemsize < 8:
        rounded = expected.dtype.type(value)
        return str(rounded) == str(expected)
    return same_float(value, expected)


def same_words(lines, array, spelling):
    rows = array.reshape(1, 1) if array.ndim == 0 else array.reshape(len(array), array.size // max(1, len(array)))
    if spelling == "columns":
        rows = array.reshape(-1, array.shape[-1] if array.ndim > 1 else 1) if array.size else []
    return len(lines) == len(rows) and all(
        len(line) == len(expected) and all(same_word(w, e, spelling) for w, e in zip(line, expected))
        for line, expected in ((line, [leaf for e in row for leaf in leaves(e)]) for line, row in zip(lines, rows))
    )


failures = []
for text in open(sys.argv[1], encoding="utf-8"):
    printed = json.loads(text)
    array = np.load(printed["path"])
    with open(printed["path"], "rb") as file:
        np.lib.format.read_magic(file)
        _, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    descr = json.loads(json.dumps(np.lib.format.dtype_to_descr(dtype)))
    document = json.loads(printed["json"])
    head = (document["dtype"], document["shape"], document["order"])
    if head != (descr, list(array.shape), "F" if fortran else "C"):
        failures.append([printed["path"], "head", head])
    if list(document) != ["dtype", "shape", "order", "values"]:
        failures.append([printed["path"], "keys", list(document)])
    if not same_nested(document["values"], array):
        failures.append([printed["path"], "json", printed["json"][:200], str(array)[:200]])
    rows = [json.loads(line) for line in printed["ndjson"].splitlines()]
    if not same_nested(rows[0] if array.ndim == 0 else rows, array):
        failures.append([printed["path"], "ndjson", printed["ndjson"][:200], str(array)[:200]])
    fields = list(csv.reader(io.StringIO(printed["csv"], newline="")))
    if array.dtype.names is not None and array.ndim < 2:
        if fields.pop(0) != ["x", "n[0]", "n[1]", "when", "inner.name", "inner.z", "inner.ok"]:
            failures.append([printed["path"], "names", printed["csv"][:200]])
    if not same_words(fields, array, "csv"):
        failures.append([printed["path"], "csv", printed["csv"][:200], str(array)[:200]])
    words = [line.split() for line in printed["columns"].split("\n") if line]
    # Texts hold spaces and nothing at all, so that their columns cannot be told apart again.
    if array.dtype.kind not in "SU" and array.dtype.names is None and not same_words(words, array, "columns"):
        failures.append([printed["path"], "columns", printed["columns"][:200], str(array)[:200]])
print(json.dumps(failures))
