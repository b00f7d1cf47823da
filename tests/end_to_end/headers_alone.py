#!/usr/bin/env python3
"""Every public header compiles alone: what it needs it includes.

Each is compiled here as the first line of a translation unit, or after headers that it includes itself, which halves the work
and hides nothing. The flags are those of build/release without its precompiled headers, which would hide what a header lacks
and are why the build itself does not show it. A header that reaches libtorch's through its own includes is compiled over the
precompiled ones of libtorch, which hide next to nothing more and save 8 s a header. Prints `PASS name`, `FAIL name: why`,
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


def included_by(header, texts, known):
    """The public headers of the project that a header includes, itself or through them."""
    if header not in known:
        known[header] = set()
        for name in re.findall(r'#include "(rlaif/[^"]+)"', texts[header]):
            known[header] |= {name} | included_by(name, texts, known)
    return known[header]


def chains_of(headers, known):
    """All headers in as few chains as there can be, each header of which is included by the next (Fulkerson's matching)."""
    before = {}

    def reach(header, seen):
        for other in headers:
            if header in known[other] and other not in seen and other != header:
                seen.add(other)
                if other not in before or reach(before[other], seen):
                    before[other] = header
                    return True
        return False

    followed = {header for header in headers if reach(header, set())}
    for last in headers:
        if last not in followed:
            chain = [last]
            while chain[0] in before:
                chain.insert(0, before[chain[0]])
            yield chain


def compiles(chain, words):
    text = "".join(f'#include "{header}"\n' for header in [*chain, *chain])
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
    texts = {header: (include_root / header).read_text() for header in headers}
    for header in headers:
        included_by(header, texts, known)
    direct = {header for header in headers if re.search("#include <(torch|ATen)/", texts[header])}
    with_torch = [header for header in headers if direct & {header, *known[header]}]
    without = [header for header in headers if header not in with_torch]
    chains = [*chains_of(without, known), *chains_of(with_torch, known)]

    def messages_of(chain):
        words = flags if chain[-1] in with_torch else plain
        message = compiles(chain, words)
        if message and len(chain) > 1:  # which of them?
            alone = [(header, compiles([header], words)) for header in chain]
            return alone if any(message for _, message in alone) else [*alone[:-1], (chain[-1], message)]
        return [(header, message) for header in chain]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = sorted(pair for pairs in pool.map(messages_of, chains) for pair in pairs)
    for header, message in found:
        print(f"FAIL {header} compiles alone: {message}" if message else f"PASS {header} compiles alone")
    return 1 if any(message for _, message in found) else 0


if __name__ == "__main__":
    sys.exit(main())
