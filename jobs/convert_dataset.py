#!/usr/bin/env python3
"""Writes data sets in Parquet or Arrow as JSON Lines that rlaif reads.

    convert_dataset.py FILE [FILE ...] OUT.jsonl[.gz] [--rename OLD=NEW ...] [--also COLUMN ...]

Needs the package pyarrow: jobs/setup.sh --datasets puts it into .venv-datasets. Files are read in the order given, a few thousand
rows at a time; the columns that a form of prompts, demonstrations or preferences has are written (`rlaif convert --help` lists
them), others are named and left out unless --also wants them. Exit code 2: bad input, such as a file without the columns of any
form.
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import sys

try:
    import pyarrow
    import pyarrow.ipc
    import pyarrow.parquet
except ImportError as missing:
    sys.exit(f"convert_dataset: {missing}; expected the package pyarrow (jobs/setup.sh --datasets, or pip install pyarrow)")

# What a line needs, one of these; and what has a place besides.
FORMS = [("prompt",), ("messages",), ("chosen", "rejected"), ("prompt", "completion"), ("prompt", "response"),
         ("prompt", "response_a", "response_b"), ("input", "preferred_output", "non_preferred_output")]
OTHER = ("id", "family", "label", "annotators", "subset", "model_a", "model_b")
KNOWN = {column for form in FORMS for column in form} | set(OTHER)
ROWS = 4096


class BadInput(Exception):
    pass


def batches_of(file):
    """Record batches of a Parquet file, an Arrow file or an Arrow stream, told by its first bytes."""
    with open(file, "rb") as stream:
        first = stream.read(6)
    try:
        if first.startswith(b"PAR1"):
            with pyarrow.parquet.ParquetFile(file) as parquet:
                yield parquet.schema_arrow.empty_table()
                yield from parquet.iter_batches(batch_size=ROWS)
        elif first == b"ARROW1":
            with pyarrow.memory_map(str(file)) as source, pyarrow.ipc.open_file(source) as reader:
                yield reader.schema.empty_table()
                yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
        elif first.startswith(b"\xff\xff\xff\xff"):
            with pyarrow.memory_map(str(file)) as source, pyarrow.ipc.open_stream(source) as reader:
                yield reader.schema.empty_table()
                yield from reader
        else:
            raise BadInput("it begins as neither Parquet nor Arrow do; expected one of them")
    except (pyarrow.ArrowException, OSError) as failure:
        raise BadInput(f"it cannot be read: {' '.join(str(failure).split())}") from failure


def check_columns(columns):
    if any(all(column in columns for column in form) for form in FORMS):
        return
    forms = ", ".join("{" + ", ".join(form) + "}" for form in FORMS)
    raise BadInput(f"its columns are {', '.join(columns) or 'none'}; expected those of one of the forms {forms} (--rename OLD=NEW gives "
                   "a column another name)")


def as_json(value, column):
    """Without members that are null: a column of structures gives every one of them the members of all."""
    if isinstance(value, dict):
        return {key: as_json(member, column) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [as_json(member, column) for member in value]
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise BadInput(f"column '{column}' holds {value!r:.60}; expected texts, numbers, lists and structures")


def lines_of(file, renamed, also):
    said = False
    for batch in batches_of(file):
        unknown = [old for old in renamed if old not in batch.schema.names]
        if unknown:
            raise BadInput(f"there is no column '{unknown[0]}' to rename; its columns are {', '.join(batch.schema.names)}")
        names = [renamed.get(name, name) for name in batch.schema.names]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise BadInput(f"two columns are called '{twice[0]}'; expected names that stand once")
        missing = [name for name in also if name not in names]
        if missing:
            raise BadInput(f"there is no column '{missing[0]}'; its columns are {', '.join(names)}")
        check_columns(names)
        kept = [i for i, name in enumerate(names) if name in KNOWN or name in also]
        if not said and len(kept) < len(names):
            left = [name for i, name in enumerate(names) if i not in kept]
            print(f"convert_dataset: {file}: left out are the columns {', '.join(left)} (--also keeps them)", file=sys.stderr)
        said = True
        columns = [(names[i], batch.column(i).to_pylist()) for i in kept]
        for row in range(batch.num_rows):
            line = {name: as_json(values[row], name) for name, values in columns if values[row] is not None}
            yield json.dumps(line, ensure_ascii=False)


def open_to_write(path, name):
    if name.suffix == ".zst":
        raise BadInput("zstd is not written here; expected a name that ends in .jsonl or .jsonl.gz")
    raw = open(path, "wb")
    return (gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0), raw) if name.suffix == ".gz" else (raw, raw)


def convert(files, out, renamed, also):
    """Under a temporary name first: nobody sees half a file."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    count = 0
    try:
        stream, raw = open_to_write(temporary, out)
        with raw, stream:
            for file in files:
                try:
                    for line in lines_of(file, renamed, also):
                        stream.write(line.encode() + b"\n")
                        count += 1
                except BadInput as failure:
                    raise BadInput(f"{file}: {failure}") from failure
            if count == 0:
                raise BadInput(f"{files[0]}: holds no row; at least one was expected")
        with open(temporary, "rb") as whole:
            os.fsync(whole.fileno())
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    print(f"{out}: {count} lines")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    parser.add_argument("out", type=pathlib.Path, metavar="OUT")
    parser.add_argument("--rename", action="append", default=[], metavar="OLD=NEW", help="a column's name in the lines; as often as needed")
    parser.add_argument("--also", action="append", default=[], metavar="COLUMN", help="a column to keep that no form knows")
    options = parser.parse_args()
    for pair in options.rename:
        if "=" not in pair:
            parser.error(f"--rename: '{pair}' was given, OLD=NEW was expected")
    try:
        convert(options.files, options.out, dict(pair.split("=", 1) for pair in options.rename), options.also)
    except (BadInput, OSError) as failure:
        print(f"convert_dataset: {failure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
