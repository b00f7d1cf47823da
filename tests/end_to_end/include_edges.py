#!/usr/bin/env python3
"""Holds the `#include` lines of include/ and src/ against the module table of ARCHITECTURE.md.

Prints `PASS name` or `FAIL name: why` for each rule; ends with 1 where one failed. Argument: the project root.
"""

import pathlib
import re
import sys

LOWER_TO_HIGHER = ["core", "comm", "templates", "text", "records", "model", "preferences", "cost", "world", "generate", "remote", "judge", "write", "train",
                   "evaluate", "run", "study", "stages", "tools", "cli"]
EVERYTHING_BELOW = None
MAY_INCLUDE = {
    "core": set(),
    "comm": set(),
    "templates": set(),
    "text": {"templates"},
    "records": {"text"},
    "model": set(),
    "preferences": {"text", "records"},
    "cost": set(),
    "world": {"text"},
    "generate": {"model", "text"},
    "remote": {"text", "cost"},
    "judge": {"generate", "text", "cost", "remote"},
    "write": {"generate", "text", "cost", "remote"},
    "train": {"comm", "text", "model", "generate", "preferences"},
    "evaluate": {"judge", "text", "records"},
    "run": {"comm", "text"},
    "study": EVERYTHING_BELOW,
    "stages": EVERYTHING_BELOW,
    "tools": EVERYTHING_BELOW,
    "cli": EVERYTHING_BELOW,
    "main": {"cli", "comm"},
}
# Inside a module with folders: who of them may include whom. Files beside the folders may be included by all of them.
FOLDERS_MAY_INCLUDE = {
    "judge": {"kinds": {"prompts", "constitution", "rules"}, "constitution": {"rules"}, "prompts": set(), "rules": set()},
}
MOST_FILES_IN_A_FOLDER = 24
# Header of a library (by a pattern over the included name) -> the modules that may include it.
LIBRARY_HOMES = {
    "MPI": (r"mpi\.h$", {"comm"}),
    "NCCL": (r"nccl\.h$", {"comm"}),
    "HDF5": (r"(hdf5(_hl)?|H5\w*)\.h$", {"preferences"}),
    "Boost": (r"boost/", {"cli"}),
    "zlib and libzstd": (r"(zlib|zstd)\.h$", {"text"}),
    "the HTTP client": (r"(curl/|httplib\.h$)", {"remote"}),
    # comm holds the CUDA and NCCL plugin, which is a library of its own.
    "libtorch": (r"(torch|ATen|c10)/", {"model", "generate", "train", "run", "study", "stages", "tools"}),
    "CUDA": (r"(cuda|cuda_runtime|cuda_runtime_api|cuda_bf16)\.h$|(c10|ATen)/cuda/", {"comm"}),
}
PLUGIN = "cuda_plugin"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def module_of(path, root):
    parts = path.relative_to(root).parts
    return parts[2] if parts[0] == "include" else parts[1] if len(parts) > 2 else "main"


def folder_of(path, root):
    """The folder inside its module that a file stands in; empty: beside the folders."""
    parts = path.relative_to(root).parts
    first = 3 if parts[0] == "include" else 2
    return parts[first] if len(parts) > first + 1 else ""


def folder_violations(path, root, module):
    """Includes that go against FOLDERS_MAY_INCLUDE, each as 'file:line includes what'."""
    table, own = FOLDERS_MAY_INCLUDE[module], folder_of(path, root)
    if own and own not in table:
        yield f"{path.relative_to(root)}: folder '{own}' is not in the table"
        return
    for number, bracket, name in includes(path):
        other = None
        if name.startswith(f"rlaif/{module}/"):
            other = folder_of(root / "include" / name, root)
        elif bracket == '"' and not name.startswith("rlaif/"):
            other = folder_of((path.parent / name).resolve(), root)
        if other and other != own and own and other not in table[own]:
            yield f"{path.relative_to(root)}:{number} includes {name}"


def crowded_folders(root):
    """Folders with more files than one takes in at a glance."""
    for top in ("include/rlaif", "src"):
        for folder in sorted(path for path in (root / top).rglob("*") if path.is_dir()):
            files = sum(path.is_file() for path in folder.iterdir())
            if files > MOST_FILES_IN_A_FOLDER:
                yield f"{folder.relative_to(root)} has {files}"


def includes(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := INCLUDE.match(line):
            yield number, match[1], match[2]


def check(root):
    """{rule: [violations]}, each violation as 'file:line: what'."""
    rules = {f"includes of {module} keep to its lower modules": [] for module in MAY_INCLUDE}
    rules.update({f"{library} is included in {', '.join(sorted(homes))} only": []
                  for library, (_, homes) in LIBRARY_HOMES.items()})
    rules["every folder is a module of the table"] = []
    rules["public headers include no private ones"] = []
    rules["quoted names are the project's own"] = []
    rules["public headers say #pragma once"] = []
    rules["modules include one another in no circle of files"] = circles(root)
    rules.update({f"folders of {module} keep to their table": [] for module in FOLDERS_MAY_INCLUDE})
    rules[f"no folder has more than {MOST_FILES_IN_A_FOLDER} files"] = list(crowded_folders(root))

    for path in sources(root):
        module = module_of(path, root)
        where = path.relative_to(root)
        if module not in MAY_INCLUDE:
            rules["every folder is a module of the table"].append(f"{where}: module '{module}' is not in the table")
            continue
        if module in FOLDERS_MAY_INCLUDE:
            rules[f"folders of {module} keep to their table"].extend(folder_violations(path, root, module))
        public = where.parts[0] == "include"
        if public and "#pragma once" not in path.read_text(encoding="utf-8"):
            rules["public headers say #pragma once"].append(str(where))
        for number, bracket, name in includes(path):
            place = f"{where}:{number}"
            if name.startswith("rlaif/"):
                other = name.split("/")[1]
                if other != module and other != "core" and other not in allowed(module):
                    rules[f"includes of {module} keep to its lower modules"].append(f"{place} includes {name}")
            elif bracket == '"':
                if public:
                    rules["public headers include no private ones"].append(f"{place} includes {name}")
                elif not (path.parent / name).is_file():
                    rules["quoted names are the project's own"].append(f"{place}: no {name} beside it")
            for library, (pattern, homes) in LIBRARY_HOMES.items():
                plugin = PLUGIN in path.name and module == "comm"
                if re.match(pattern, name) and module not in homes and not plugin:
                    rule = f"{library} is included in {', '.join(sorted(homes))} only"
                    rules[rule].append(f"{place} includes {name}")
    return rules


def allowed(module):
    below = MAY_INCLUDE[module]
    if below is EVERYTHING_BELOW:
        return set(LOWER_TO_HIGHER[:LOWER_TO_HIGHER.index(module)])
    return below


def sources(root):
    for folder in ("include/rlaif", "src"):
        yield from sorted(path for path in (root / folder).rglob("*") if path.suffix in (".hpp", ".cpp", ".h", ".cu"))


def circles(root):
    """Public headers that include themselves through others."""
    edges = {}
    for path in sorted((root / "include").rglob("*.hpp")):
        own = path.relative_to(root / "include").as_posix()
        edges[own] = [name for _, _, name in includes(path) if name.startswith("rlaif/")]
    found, done = [], set()

    def walk(header, trail):
        if header in trail:
            found.append(" -> ".join([*trail[trail.index(header):], header]))
        elif header not in done:
            for other in edges.get(header, []):
                walk(other, [*trail, header])
            done.add(header)

    for header in edges:
        walk(header, [])
    return found


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    rules = check(root)
    for rule, violations in rules.items():
        if violations:
            print(f"FAIL {rule}: {'; '.join(violations)}")
        else:
            print(f"PASS {rule}")
    return 1 if any(rules.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
