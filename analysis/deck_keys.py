#!/usr/bin/env python3
"""The section "Every key" of DECKS.md, written from what the program's own --help says.

    python3 analysis/deck_keys.py build/release/rlaif DECKS.md           writes the section between its two marks
    python3 analysis/deck_keys.py build/release/rlaif DECKS.md --check   ends with 1 where it is not what the program says

The kinds of judges and writers, makers of data, algorithms and commands are those that --help lists; a deck that names one of each is made
here, so that the keys of all of them are listed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

BEGIN = "<!-- every key: begin, written by analysis/deck_keys.py -->"
END = "<!-- every key: end -->"
MEMBERS = "members = kind_local kind_rules"
# What a kind of judge, or a maker, is refused without.
SETTINGS = {
    "ensemble": [MEMBERS],
    "cascade": [MEMBERS, "thresholds = 0.8"],
    "hierarchy": [MEMBERS],
    "reward_model": ["model = reward-kind_local"],
    "best_of_n": ["judge = kind_local"],
    "file": ["file = FILE"],
    "recorded": ["file = FILE", "heldout_file = FILE"],
    "revisions": ["writer = writes_local", "heldout_prompts = 1"],
    "revision_pairs": ["of = maker_revisions"],
    "revision_steps": ["of = maker_revisions"],
    "writer of openai": ["model = MODEL"],
    "writer of anthropic": ["model = MODEL"],
}
# What the sections that a user names are called in the document, by their names in the deck that is made here.
ROLES = {"judge.kind_": "[judge.NAME] with `kind = {}`", "data.maker_": "[data.NAME] with `maker = {}`",
         "writer.writes_": "[writer.NAME] with `kind = {}`"}

# A default holds no parenthesis, a unit no bracket.
KEY = re.compile(r"--(\S+) \((.*?)\)(?: \[([^\]]*)\])?(?: +(.*))?$")


class Key:
    """A line of --help: section and name, default, unit and range, meaning."""

    def __init__(self, line):
        found = KEY.match(line.strip())
        if not found:
            raise SystemExit(f"deck_keys.py: a line of --help that is no key: {line}")
        name, self.default, unit, self.meaning = (group or "" for group in found.groups())
        self.section, self.name = name.rsplit(".", 1)
        self.unit = unit


def said(rlaif, *arguments):
    """What the program prints for --help, and nothing but it."""
    done = subprocess.run([rlaif, *arguments, "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"deck_keys.py: {rlaif} {' '.join(arguments)} --help: {done.stderr.strip()}")
    return done.stdout


def keys(help_text):
    """Lines of keys; flags of commands have no dot in their names."""
    return [Key(line) for line in help_text.splitlines() if re.match(r"  --[^ .]+\.", line)]


def choices(all_keys, section, name):
    for key in all_keys:
        if key.section == section and key.name == name:
            return key.unit.split("|")
    raise SystemExit(f"deck_keys.py: --help lists no key {section}.{name}")


def deck_of_each(kinds, makers, writers):
    """A deck with a judge and a writer of every kind and a data set of every maker. Nothing is run with it."""
    lines = ["[study]", "judges = " + " ".join("kind_" + kind for kind in kinds), "arms = NAME", "rounds ="]
    if "recorded" in makers:
        lines.append("pairs = maker_recorded")
    for kind in kinds:
        lines += [f"[judge.kind_{kind}]", f"kind = {kind}"]
        lines += SETTINGS.get(kind, [])
    for maker in makers:
        lines += [f"[data.maker_{maker}]", f"maker = {maker}"]
        lines += SETTINGS.get(maker, [])
    for kind in writers:
        lines += [f"[writer.writes_{kind}]", f"kind = {kind}"]
        lines += SETTINGS.get(f"writer of {kind}", [])
    lines += ["[arm.NAME]", "judge = kind_local"]
    return "\n".join(lines) + "\n"


def resolved(rlaif, text, folder):
    """The keys that a deck has. What it sets itself is no default."""
    with open(os.path.join(folder, "FILE"), "w", encoding="utf-8"):
        pass  # --help reads no data, and wants to find it
    path = os.path.join(folder, "DECK.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    section, made_up = "", set()
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        else:
            made_up.add((section, line.split(" =")[0]))
    listed = keys(said(rlaif, "study", path))
    for key in listed:
        if (key.section, key.name) in made_up:
            key.default = ""
    return listed


def every_key(rlaif):
    """Lists of keys by heading, in the program's order; [study] first."""
    plain = keys(said(rlaif, "study"))
    kinds = choices(plain, "judge.ai", "kind")
    with tempfile.TemporaryDirectory() as folder:
        taught = "[study]\narms = NAME\n[arm.NAME]\nalgorithm = sft\ndata = lessons\n[data.lessons]\nmaker = mixture\n"
        makers = choices(resolved(rlaif, taught, folder), "data.lessons", "maker")
        writers = choices(resolved(rlaif, "[writer.some]\nkind = local\n", folder), "writer.some", "kind")
        listed = resolved(rlaif, deck_of_each(kinds, makers, writers), folder)
        rounds = "[study]\njudges = ai\narms =\nrounds = NAME\n[round.NAME]\njudge = ai\n"
        listed += [key for key in resolved(rlaif, rounds, folder) if key.section == "round.NAME"]
    sections = {"[study]": [key for key in plain if key.section == "study"]}
    for key in listed:
        if key.section == "study":
            continue
        if key.section.startswith("judge.kind_") and "[judge.NAME]" not in sections:
            sections["[judge.NAME]"] = [kind for kind in plain if (kind.section, kind.name) == ("judge.ai", "kind")]
        if not (key.section.startswith("judge.kind_") and key.name == "kind"):
            sections.setdefault(heading(key.section), []).append(key)
    return sections


def heading(section):
    for start, role in ROLES.items():
        if section.startswith(start):
            return role.format(section[len(start):])
    return f"[{section}]"


def cell(text):
    return text.replace("|", "\\|")


def table(rows):
    lines = ["| key | default | unit, range | meaning |", "|---|---|---|---|"]
    for key in rows:
        default = f"`{cell(key.default)}`" if key.default else ""
        lines.append(f"| `{key.name}` | {default} | {cell(key.unit)} | {cell(key.meaning)} |")
    return lines


def command_lines(rlaif):
    """Every command and its usage, with what it says of its arguments; the keys are above."""
    names = re.findall(r"^  (\w+) +\S", said(rlaif).split("\n\nA deck is")[0], re.MULTILINE)
    lines = ["", "### Commands", "```text"]
    for name in names:
        lines += [said(rlaif, name).split("\n\nkeys (default)")[0].rstrip(), ""]
    lines[-1] = "```"
    return lines


def section_text(rlaif):
    lines = [BEGIN]
    for name, rows in every_key(rlaif).items():
        lines += ["", f"### {name}", *table(rows)]
    return "\n".join([*lines, *command_lines(rlaif), END])


def split(path):
    """A document before its section, the section, and what follows."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise SystemExit(f"deck_keys.py: {path}: the two marks of the section were expected once each")
    first, last = text.index(BEGIN), text.index(END) + len(END)
    return text[:first], text[first:last], text[last:]


def differs(path, wanted):
    """Says where the section of a document is not the one that is wanted."""
    old, new = split(path)[1].splitlines(), wanted.splitlines()
    if old == new:
        return False
    lines = [line for line in new if line not in old] or [line for line in old if line not in new] or ["the order of lines"]
    print(f"{path}: 'Every key' is not what the program says, first: {lines[0]}")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rlaif", help="the program")
    parser.add_argument("documents", nargs="+", help="DECKS.md")
    parser.add_argument("--check", action="store_true", help="write nothing; say where the section differs")
    options = parser.parse_args()
    parts = [split(path) for path in options.documents]
    wanted = section_text(options.rlaif)
    if options.check:
        return 1 if sum(differs(path, wanted) for path in options.documents) else 0
    for path, (before, _, after) in zip(options.documents, parts):
        with open(path, "w", encoding="utf-8") as file:
            file.write(before + wanted + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
