#!/usr/bin/env python3
"""Every public header compiles alone: what it needs it includes.

Each is compiled here with the flags of build/release, but without its precompiled headers, which would hide what a header
lacks and are why the build itself does not show it. Prints `PASS name`, `FAIL name: why`, `SKIP name: why`. Argument: the project root.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys


def build_flags(commands_file):
    """Flags of a source of stages, which sees every library's headers, without the precompiled header."""
    for entry in json.loads(commands_file.read_text()):
        if "/src/stages/" not in entry["file"]:
            continue
        words = shlex.split(entry["command"])
        compiler = next(i for i, word in enumerate(words) if word.endswith("++"))
        words = words[compiler:words.index("-o")]
        while "-include" in words:
            at = words.index("-include")
            del words[at:at + 2]
        return words
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
    headers = sorted(path.relative_to(include_root).as_posix() for path in include_root.rglob("*.hpp"))
    os.chdir(root / "build/release")

    def message_of(header):
        return compiles(header, flags)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        messages = pool.map(message_of, headers)
        failed = 0
        for header, message in zip(headers, messages):
            failed += bool(message)
            print(f"FAIL {header} compiles alone: {message}" if message else f"PASS {header} compiles alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
