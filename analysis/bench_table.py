#!/usr/bin/env python3
"""One table of ratios from Google Benchmark's JSON files.

    python3 analysis/bench_table.py FILE.json [FILE.json ...]

Names are Topic/variant[/arguments]. Within a topic and its arguments the variant `baseline` is what the others are held
against; without one, the topic's first row is. A ratio above 1 is faster than the baseline.
"""

import argparse
import pathlib
import sys

from run_data import RunError, number, read_json
from text_table import text_table

NANOSECONDS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def read_rows(files):
    """[(name, nanoseconds, items a second or None, own baseline in nanoseconds or None)]; of repetitions the median."""
    rows = []
    for file in files:
        found = read_json(file).get("benchmarks")
        if not isinstance(found, list):
            raise RunError(f"{file}: Google Benchmark's output was expected, with a list 'benchmarks'")
        has_median = {row.get("run_name") for row in found if row.get("aggregate_name") == "median"}
        for row in found:
            name = row.get("run_name", row.get("name"))
            if row.get("error_occurred"):
                print(f"{name}: {row.get('error_message')}", file=sys.stderr)
                continue
            wanted = row.get("aggregate_name") == "median" if name in has_median else row.get("run_type") != "aggregate"
            time = number(row.get("real_time"))
            if wanted and time is not None:
                per_second = number(row.get("items_per_second")) or number(row.get("bytes_per_second"))
                own = number(row.get("baseline_seconds"))
                rows.append((name, time * NANOSECONDS[row.get("time_unit", "ns")], per_second, own and own * 1e9))
    return rows


def split_name(name):
    """'Topic/variant/64/real_time' -> ('Topic', 'variant', '64'); options of the library are no arguments."""
    parts = [part for part in name.split("/")
             if part not in ("real_time", "process_time") and not part.startswith("min_time:")]
    variant = parts[1] if len(parts) > 1 and not parts[1].replace(":", "").isdigit() else ""
    return parts[0], variant, "/".join(parts[2 if variant else 1:])


def baselines(rows):
    """{(topic, arguments): nanoseconds of the row the others are held against}"""
    found, named = {}, set()
    for name, time, _, _ in rows:
        topic, variant, arguments = split_name(name)
        key = (topic, arguments if variant else "")
        if variant == "baseline" and key not in named:
            found[key] = time
            named.add(key)
        found.setdefault(key, time)
    return found


def time_text(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def rate_text(per_second):
    if per_second is None:
        return "-"
    for suffix, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if per_second >= size:
            return f"{per_second / size:.3g}{suffix}/s"
    return f"{per_second:.3g}/s"


def main():
    parser = argparse.ArgumentParser(description="One table of ratios from Google Benchmark's JSON files.")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    options = parser.parse_args()
    try:
        rows = read_rows(options.files)
    except RunError as error:
        print(f"bench_table.py: {error}", file=sys.stderr)
        return 2
    reference = baselines(rows)
    lines = []
    for name, time, per_second, own in rows:
        topic, variant, arguments = split_name(name)
        lines.append([name, time_text(time), rate_text(per_second),
                      f"{(own or reference[(topic, arguments if variant else '')]) / time:.2f}"])
    print(text_table(["benchmark", "time", "throughput", "ratio"], lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
