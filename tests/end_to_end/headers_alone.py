#!/usr/bin/env python3
"""Every public header compiles alone: what it needs it includes.

A header that some source file includes before all others was compiled so by the build; the rest are compiled here with
the flags of build/release. None is compiled over the precompiled headers, which would hide what it lacks. Prints `PASS name`, `FAIL name: why`, `SKIP name: why`. Argument: the project root.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

from include_edges import includes


def reaches_torch(header, include_root, seen):
    seen.add(header)
    for _, _, name in includes(include_root / header):
        if name.startswith("torch/"):
            return True
        if name.startswith("rlaif/") and name not in seen and reaches_torch(name, include_root, seen):
            return True
    return False


def compiled_by_build(root):
    """Headers that a source of the program includes first."""
    first = set()
    for source in (root / "src").rglob("*.cpp"):
        first.update(name for _, _, name in list(includes(source))[:1])
    return first


def build_flags(commands_file):
    """Flags with the precompiled header and without, of a pipeline source: it sees every library's headers."""
    for entry in json.loads(commands_file.read_text()):
        if "/src/pipeline/" not in entry["file"]:
            continue
        words = shlex.split(entry["command"])
        compiler = next(i for i, word in enumerate(words) if word.endswith("++"))
        words = words[compiler:words.index("-o")]
        plain = list(words)
        while "-include" in plain:
            at = plain.index("-include")
            del plain[at:at + 2]
        return words, plain
    return None


def compiles(header, words):
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run([*words, "-fsyntax-only", "-x", "c++", "-"], input=text, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
    return "" if done.returncode == 0 else " ".join(errors[:2]) or f"exit code {done.returncode}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    include_root = root / "include"
    commands_file = root / "build/release/compile_commands.json"
    flags = build_flags(commands_file) if commands_file.is_file() else None
    if flags is None:
        print("SKIP public headers compile alone: build/release is not there (jobs/build.sh all)")
        return 0
    over_torch, plain = flags
    headers = sorted(path.relative_to(include_root).as_posix() for path in include_root.rglob("*.hpp"))
    by_build = compiled_by_build(root)
    os.chdir(root / "build/release")

    def message_of(header):
        if header in by_build:
            return ""
        return compiles(header, over_torch if reaches_torch(header, include_root, set()) else plain)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        messages = pool.map(message_of, headers)
        failed = 0
        for header, message in zip(headers, messages):
            failed += bool(message)
            print(f"FAIL {header} compiles alone: {message}" if message else f"PASS {header} compiles alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
