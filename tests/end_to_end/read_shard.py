#!/usr/bin/env python3
"""Reads a preference store with h5py alone and holds it against the program's `full` export.

    read_shard.py STORE_FOLDER EXPORT.jsonl

Nothing of the program is used, and no column is known by name: a shard's own attributes say how its columns are
stored and what its codes mean. Exits with 1 and names each difference (the first 20) where there is one.
"""
import json
import math
import pathlib
import sys

import h5py

MOST_DIFFERENCES = 20


def as_text(value):
    """An attribute of fixed length comes as bytes."""
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def text_column(group):
    offsets = group["offsets"][:]
    data = group["bytes"][:].tobytes()
    return [data[begin:end].decode("utf-8", errors="replace") for begin, end in zip(offsets[:-1], offsets[1:])]


def list_column(group):
    """Of each record a list: the rows of the group's columns that are its own."""
    offsets = group["offsets"][:]
    columns = {name: column(item) for name, item in group.items() if name != "offsets"}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    return [rows[begin:end] for begin, end in zip(offsets[:-1], offsets[1:])]


def column(item):
    """Values of one column as JSON would have them: text, numbers, names of codes, null for not a number."""
    if isinstance(item, h5py.Group) and "bytes" in item:
        return text_column(item)
    if isinstance(item, h5py.Group):
        return list_column(item)
    values = item[:].tolist()
    if "values" in item.attrs:
        names = [as_text(name) for name in item.attrs["values"]]
        return [names[code] for code in values]
    return values


def same(stored, exported):
    if isinstance(stored, list):
        return isinstance(exported, list) and len(stored) == len(exported) and all(map(same, stored, exported))
    if isinstance(stored, dict):
        return isinstance(exported, dict) and stored.keys() == exported.keys() and all(
            same(stored[name], exported[name]) for name in stored)
    if isinstance(stored, float) and not math.isfinite(stored):
        return exported is None
    if isinstance(exported, bool):  # a flag is 0 or 1 in a shard
        return stored in (0, 1) and bool(stored) == exported
    return type(stored) is type(exported) and stored == exported


def read_shard(path):
    """(attributes, {column: values}); complains where the attributes do not describe what is there."""
    with h5py.File(path, "r") as shard:
        attributes = {
            name: as_text(value) if isinstance(value, bytes) else value for name, value in shard.attrs.items()
        }
        if attributes["format"] != "rlaif-preferences" or int(attributes["version"]) != 1:
            sys.exit(f"{path}: format {attributes['format']} version {attributes['version']} is unknown")
        for item in shard.values():
            if not as_text(item.attrs["description"]):
                sys.exit(f"{path}: column {item.name} has no description")
        columns = {name: column(item) for name, item in shard.items()}
    for name, values in columns.items():
        if len(values) != int(attributes["records"]):
            sys.exit(f"{path}: column {name} has {len(values)} rows, the attribute says {attributes['records']}")
    return attributes, columns


def differences(folder, export):
    """Yields one line for each value that differs."""
    line_number = 0
    with open(export, encoding="utf-8") as lines:
        for path in sorted(folder.glob("shard-*.h5"), key=lambda path: int(path.stem.split("-")[1])):
            attributes, columns = read_shard(path)
            for row in range(int(attributes["records"])):
                line = lines.readline()
                line_number += 1
                if not line:
                    yield f"{export}: ends before record {row} of {path.name}"
                    return
                exported = json.loads(line)
                stored = {name: values[row] for name, values in columns.items()} | {"judge": attributes["judge"]}
                if stored.get("members") == []:  # a line names members only where there are some
                    del stored["members"]
                for key in sorted(stored.keys() | exported.keys()):
                    if key not in stored or key not in exported:
                        yield f"{export}:{line_number}: {key} is only in the {'shard' if key in stored else 'export'}"
                    elif not same(stored[key], exported[key]):
                        yield (f"{export}:{line_number}: {key} is {exported[key]!r}, "
                               f"record {row} of {path.name} has {stored[key]!r}")
        if lines.readline():
            yield f"{export}: goes on after the last record of the last shard"
    if line_number == 0:
        yield f"{folder}: no records"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, export = map(pathlib.Path, sys.argv[1:])
    found = 0
    for difference in differences(folder, export):
        found += 1
        print(difference, file=sys.stderr)
        if found == MOST_DIFFERENCES:
            break
    if found:
        return 1
    shards = len(list(folder.glob("shard-*.h5")))
    print(f"{folder}: {shards} shards read with h5py alone are what {export} says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
