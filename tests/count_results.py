#!/usr/bin/env python3
"""Counts test results from the logs that tests/run.sh keeps: NAME.log beside NAME.rc (the exit code).

Logs are GoogleTest's output, or lines `PASS name`, `FAIL name: why`, `SKIP name: why` of an end-to-end script. The
text is read rather than GoogleTest's report files, because a program that crashes leaves no report. Prints what was
skipped and why, what failed, and `N passed, N failed, N skipped`; exits 1 where anything failed or nothing ran.
"""

import pathlib
import re
import signal
import sys

GTEST_END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] (?:on rank \d+: )?([\w/]+\.[\w/]+)")
GTEST_BEGIN = re.compile(r"\[ RUN +\] ([\w/]+\.[\w/]+)")
SCRIPT_LINE = re.compile(r"^(PASS|FAIL|SKIP) ([^:]+?)(?:: *(.*))?$")


def read_gtest(lines):
    """{test: (outcome, reason)} in order; a test that began and did not end has failed."""
    results = {}
    running, skip_reason = None, []
    for line in lines:
        if begin := GTEST_BEGIN.search(line):
            running, skip_reason = begin[1], []
            results.setdefault(running, ("failed", "began and did not end"))
        elif end := GTEST_END.search(line):
            word, test = end.groups()
            unfinished = results.get(test, ("failed", ""))[1] == "began and did not end"
            if word == "FAILED":
                results[test] = ("failed", "")
            elif unfinished:
                skipped = word == "SKIPPED"
                results[test] = ("skipped", " ".join(skip_reason)) if skipped else ("passed", "")
            if test == running:
                running = None
        elif running and line.rstrip().endswith(": Skipped"):
            skip_reason = [""]
        elif running and skip_reason and line.strip():
            skip_reason = [" ".join([*skip_reason, line.strip()]).strip()]
    return results


def read_script(lines):
    results = {}
    words = {"PASS": "passed", "FAIL": "failed", "SKIP": "skipped"}
    for line in lines:
        if match := SCRIPT_LINE.match(line):
            word, test, reason = match.groups()
            results[test] = (words[word], reason or "")
    return results


def how_it_ended(code):
    if code == 124:
        return "ran past its time limit"
    if code > 128:
        try:
            return f"was ended by {signal.Signals(code - 128).name}"
        except ValueError:
            pass
    return f"ended with exit code {code}"


def main():
    folder = pathlib.Path(sys.argv[1])
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures, skips = [], []
    for code_file in sorted(folder.glob("*.rc"), key=lambda file: file.stat().st_mtime_ns):
        log = code_file.with_suffix(".log")
        code = int(code_file.read_text())
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        is_gtest = log.stem.startswith(("test_", "mpi_"))
        results = read_gtest(lines) if is_gtest else read_script(lines)
        for test, (outcome, reason) in results.items():
            counts[outcome] += 1
            name = f"{log.stem}: {test}"
            if outcome == "failed":
                failures.append((name, reason, log))
            elif outcome == "skipped":
                skips.append((name, reason or "no reason given"))
        failed_here = any(outcome == "failed" for outcome, _ in results.values())
        if not failed_here and (code != 0 or not results):
            counts["failed"] += 1
            why = how_it_ended(code) if code else "ran no test"
            failures.append((log.stem, why + " and named no failed test" * bool(code), log))

    for name, reason in skips:
        print(f"SKIPPED {name}: {reason}")
    for log in dict.fromkeys(log for _, _, log in failures):
        print(f"\n--- end of {log}")
        print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-60:]))
    if failures:
        print()
    for name, reason, _ in failures:
        print(f"FAILED {name}" + f": {reason}" * bool(reason))
    if not sum(counts.values()):
        print("no test has that name")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
