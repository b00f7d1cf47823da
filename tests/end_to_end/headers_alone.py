#!/usr/bin/env python3
"""Every public header compiles alone: what it needs it includes.

Each is compiled here with the flags of build/release, but without its precompiled headers, which would hide what a header
lacks and are why the build itself does not show it. A header that reaches libtorch's through its own includes is compiled over
the precompiled ones of libtorch, which hide next to nothing more and save 8 s a header. Prints `PASS name`, `FAIL name: why`,
`SKIP name: why`. Argument: the project root.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys


def build_flags(commands_file, target):
    """Flags of a target's sources, of one that sees every library's headers."""
    for entry in json.loads(commands_file.read_text()):
        if f"/{target}.dir/" not in entry["command"]:
            continue
        words = shlex.split(entry["command"])
        compiler = next(i for i, word in enumerate(words) if word.endswith("++"))
        return words[compiler:words.index("-o")]
    return None


def without_precompiled(words):
    words = list(words)
    while "-include" in words:
        at = words.index("-include")
        del words[at:at + 2]
    return words


def reaches_torch(header, include_root, known):
    """Whether a header includes rlaif/model/torch.hpp, itself or through public headers of the project."""
    if header not in known:
        known[header] = False
        text = (include_root / header).read_text()
        known[header] = "#include <torch/" in text or "#include <ATen/" in text or any(
            reaches_torch(included, include_root, known)
            for included in re.findall(r'#include "(rlaif/[^"]+)"', text))
    return known[header]


def compiles(header, words):
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run([*words, "-fsyntax-only", "-x", "c++", "-"], input=text, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
    return "" if done.returncode == 0 else " ".join(errors[:2]) or f"exit code {done.returncode}"


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    include_root = root / "include"
    commands_file = root / "build/release/compile_commands.json"
    if not commands_file.is_file():
        print("SKIP public headers compile alone: build/release is not there (jobs/build.sh all)")
        return 0
    flags = build_flags(commands_file, "rlaif_stages_tensors")
    if flags is None:
        print(f"FAIL public headers compile alone: {commands_file} has no source of rlaif_stages_tensors, whose flags they take")
        return 1
    headers = sorted(path.relative_to(include_root).as_posix() for path in include_root.rglob("*.hpp"))
    os.chdir(root / "build/release")
    plain, known = without_precompiled(flags), {}
    with_torch = {header: reaches_torch(header, include_root, known) for header in headers}

    def message_of(header):
        return compiles(header, flags if with_torch[header] else plain)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        messages = pool.map(message_of, headers)
        failed = 0
        for header, message in zip(headers, messages):
            failed += bool(message)
            print(f"FAIL {header} compiles alone: {message}" if message else f"PASS {header} compiles alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
