"""Reads a run directory: results, metrics, evaluation answers, stage markers and the resolved deck."""

import dataclasses
import json
import math
import pathlib


class RunError(Exception):
    """A file that is missing or is not what was expected; the message names it."""


@dataclasses.dataclass(frozen=True)
class Rate:
    """A figure with its 95 % interval where there is one."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def has_interval(self):
        return self.low is not None and self.high is not None


def number(value):
    """A finite float, or None: null, text, booleans and not-a-number do not count."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def rate(holder, key):
    """holder[key] as a Rate, else None: a number with its interval in KEY_low and KEY_high (ci_low and ci_high for win
    rates), or an object {"value", "low", "high"}."""
    if not isinstance(holder, dict):
        return None
    found = holder.get(key)
    if isinstance(found, dict):
        value = number(found.get("value"))
        return None if value is None else Rate(value, number(found.get("low")), number(found.get("high")))
    value = number(found)
    ends = ("ci_low", "ci_high") if key.startswith("win_rate") else (f"{key}_low", f"{key}_high")
    return None if value is None else Rate(value, *(number(holder.get(end)) for end in ends))


def plain(holder, key):
    """The bare value of a figure that may or may not carry an interval."""
    found = rate(holder, key)
    return None if found is None else found.value


def read_json(file):
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(f"{file} is missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{file} cannot be read: {error}") from None
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise RunError(f"{file}:{error.lineno}: is not JSON: {error.msg}") from None
    if not isinstance(found, dict):
        raise RunError(f"{file}: a JSON object was expected")
    return found


def read_json_lines(file):
    """One dict a line. A last line without its newline is what a killed writer left and is dropped."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"{file} cannot be read: {error}") from None
    lines = text.split("\n")
    lines.pop()
    rows = []
    for line_number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise RunError(f"{file}:{line_number}: is not JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise RunError(f"{file}:{line_number}: a JSON object was expected")
        rows.append(row)
    return rows


def read_stages(folder):
    """Stage markers as they lie in RUN/stages, by name."""
    return [read_json(file) for file in sorted((folder / "stages").glob("*.json"))]


@dataclasses.dataclass
class Run:
    folder: pathlib.Path
    results: dict
    settings: dict  # run.json
    metrics: dict  # stage -> rows
    evaluation: dict  # sft, sft-again or arm -> rows
    stages: list  # dicts with stage, wall_seconds, peak_memory_bytes; in the order they ran where that is known

    @property
    def arms(self):
        """Names of the arms in the deck's order, without sft."""
        return [name for name in section(self.results, "arms") if name not in ("sft", "sft-again")]


def plain_chains(folder, name):
    """The chains of revisions of a data set's first block; empty where there are none."""
    file = folder / "data" / name / "chains-000000.jsonl"
    return read_json_lines(file) if file.exists() else []


def section(holder, key):
    found = holder.get(key)
    return found if isinstance(found, dict) else {}


def load_run(folder):
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise RunError(f"{folder} is not a folder: a run directory was expected")
    results_file = folder / "report" / "results.json"
    if not results_file.exists():
        raise RunError(f"{results_file} is missing: the study has not come to its report stage; run it again to go on")
    results = read_json(results_file)
    markers = read_stages(folder)
    listed = results.get("stages")
    if isinstance(listed, list) and listed:
        # The markers know more (ranks, memory); the list knows the order.
        by_name = {marker.get("stage"): marker for marker in markers}
        stages = [{**by_name.pop(row.get("stage"), {}), **row} for row in listed if isinstance(row, dict)]
        stages += [marker for marker in markers if marker.get("stage") in by_name]
    else:
        stages = markers
    return Run(
        folder=folder,
        results=results,
        settings=read_json(folder / "run.json"),
        metrics={file.stem: read_json_lines(file) for file in sorted((folder / "metrics").glob("*.jsonl"))},
        evaluation={file.stem: read_json_lines(file) for file in sorted((folder / "evaluation").glob("*.jsonl"))},
        stages=stages,
    )
