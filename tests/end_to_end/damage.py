"""Damages one file of a run directory, drawn by a seed, and prints what was done as "PATH how".

    damage.py RUN SEED flip|cut [FOLDER ...]     of files below these folders of the run alone

Every kind of artefact is drawn as often as the others, whatever the number of its files.
"""

import pathlib
import random
import sys

run, seed, how, *folders = sys.argv[1:]
draw = random.Random(f"{seed} {how}")
kinds = {}
for file in sorted(pathlib.Path(run).rglob("*")):
    relative = file.relative_to(run)
    if not file.is_file() or file.name.startswith(".") or file.name == "run.lock" or relative.parts[0] == "report":
        continue
    if folders and relative.parts[0] not in folders:
        continue
    if file.stat().st_size > 0:
        kinds.setdefault((relative.parts[0], file.suffix), []).append(file)
file = draw.choice(kinds[draw.choice(sorted(kinds))])
data = bytearray(file.read_bytes())
at = draw.randrange(len(data))
if how == "flip":
    bit = draw.randrange(8)
    data[at] ^= 1 << bit
    what = f"bit {bit} of byte {at} flipped"
else:
    del data[at:]
    what = f"cut to {at} bytes"
file.write_bytes(data)
print(file.relative_to(run), what)
