"""Parquet and Arrow through jobs/convert_dataset.py, and what cannot be converted. Prints PASS and FAIL lines.

    convert_datasets.py RLAIF FOLDER
"""

import json
import pathlib
import subprocess
import sys

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

RLAIF, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
ROWS = [{"prompt": f"Où {i}?", "chosen": [{"role": "assistant", "content": f"Là, {i}."}],
         "rejected": [{"role": "assistant", "content": "Ici.", "name": "x" if i == 3 else None}], "score": i * 0.5} for i in range(5000)]


def files():
    table = pyarrow.Table.from_pylist(ROWS)
    pyarrow.parquet.write_table(table, FOLDER / "rows.parquet", row_group_size=700)
    with pyarrow.ipc.new_file(FOLDER / "rows.feather", table.schema) as out:
        out.write_table(table, max_chunksize=900)
    with pyarrow.ipc.new_stream(FOLDER / "rows.arrow", table.schema) as out:
        out.write_table(table)
    pyarrow.parquet.write_table(pyarrow.table({"question": ["a"], "answer": ["b"]}), FOLDER / "others.parquet")
    pyarrow.parquet.write_table(pyarrow.table({"prompt": ["a"], "completion": [b"b"]}), FOLDER / "bytes.parquet")
    whole = (FOLDER / "rows.parquet").read_bytes()
    (FOLDER / "cut.parquet").write_bytes(whole[:len(whole) // 2])
    (FOLDER / "text.parquet").write_text('{"prompt": "a"}\n')


def convert(*arguments):
    command = [sys.executable, "-B", "jobs/convert_dataset.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def expect(name, holds, why=""):
    print(f"PASS {name}" if holds else f"FAIL {name}: {' '.join(str(why).split())[-300:]}")


def refused(name, words, *arguments):
    run = convert(*arguments, FOLDER / "none.jsonl")
    expect(name, run.returncode == 2 and all(word in run.stderr for word in words) and "Traceback" not in run.stderr, run.stderr)


def main():
    files()
    expected = [{key: value for key, value in row.items() if key != "score"} for row in ROWS]
    for row in expected:
        row["rejected"] = [{key: value for key, value in one.items() if value is not None} for one in row["rejected"]]
    for name in ("rows.parquet", "rows.feather", "rows.arrow"):
        out = FOLDER / f"{name}.jsonl"
        run = convert(FOLDER / name, out)
        ok = run.returncode == 0 and [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()] == expected
        expect(f"{name} becomes its rows as lines", ok, run.stderr)
        expect(f"{name}: columns of no form are named", "left out are the columns score" in run.stderr, run.stderr)
    run = convert(FOLDER / "rows.parquet", FOLDER / "rows.arrow", FOLDER / "both.jsonl.gz", "--also", "score")
    read = subprocess.run([RLAIF, "convert", FOLDER / "both.jsonl.gz", FOLDER / "both-preference.jsonl", "--to", "preference-conversational"],
                          capture_output=True, text=True)
    expect("several files become one that is read", "10000 pairs" in read.stdout, run.stderr + read.stderr)
    run = convert(FOLDER / "others.parquet", FOLDER / "renamed.jsonl", "--rename", "question=prompt", "--rename", "answer=completion")
    expect("columns are renamed", run.returncode == 0 and (FOLDER / "renamed.jsonl").read_text() == '{"prompt": "a", "completion": "b"}\n', run.stderr)
    refused("a parquet without the columns", ["others.parquet", "question, answer", "{prompt, completion}"], FOLDER / "others.parquet")
    refused("a column to rename that is not there", ["no column 'x'"], FOLDER / "others.parquet", "--rename", "x=prompt")
    refused("a column to keep that is not there", ["no column 'x'"], FOLDER / "rows.parquet", "--also", "x")
    refused("a column of bytes", ["bytes.parquet", "column 'completion'"], FOLDER / "bytes.parquet")
    refused("a parquet cut short", ["cut.parquet", "cannot be read"], FOLDER / "cut.parquet")
    refused("a text under the name of a parquet", ["text.parquet", "neither Parquet nor Arrow"], FOLDER / "text.parquet")
    refused("a file that is not there", ["nowhere.parquet"], FOLDER / "nowhere.parquet")
    expect("refused files leave nothing behind", not (FOLDER / "none.jsonl").exists() and not list(FOLDER.glob(".*.tmp")))


main()
