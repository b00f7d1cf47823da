#!/usr/bin/env python3
"""What a run says on a pseudo-terminal and in a pipe: live_progress.py RLAIF DECK FOLDER FOLDER"""

import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import fcntl

COLUMNS = 70
DRAW = "\r\x1b[K"  # to the line's beginning, and clear it


def on_terminal(command):
    """Everything that is written to a terminal of so many columns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("RLAIF_PROGRESS", None)
    process = subprocess.Popen(command, stdin=follower, stdout=subprocess.DEVNULL, stderr=follower, env=environment)
    os.close(follower)
    seen = b""
    while True:
        ready, _, _ = select.select([leader], [], [], 120)
        try:
            piece = os.read(leader, 65536) if ready else b""
        except OSError:  # the other side is closed
            piece = b""
        if not piece:
            break
        seen += piece
    os.close(leader)
    assert process.wait() == 0, seen.decode()[-500:]
    return seen.decode().replace("\r\n", "\n")


def final_screen(seen):
    """Lines as they stand in the end: what is drawn over is gone."""
    return [line.split(DRAW)[-1] for line in seen.split("\n")]


def main():
    rlaif, deck, first, second = sys.argv[1:]
    seen = on_terminal([rlaif, "study", deck, f"--run.directory={first}"])
    assert DRAW in seen, seen[:300]
    drawn = [line for line in re.split(r"\n|" + re.escape(DRAW), seen) if "[" in line and "%" in line]
    assert drawn and all(len(line) < COLUMNS for line in drawn), max(drawn, key=len)
    bar = re.compile(r"^(\S.*?) +\[(#*)(\.*)\] +(\d+) % +(\d+)/(\d+) (step|block)s ")
    for line in drawn:
        found = bar.match(line)
        assert found and len(found[2] + found[3]) == 20, line
        assert int(found[4]) == 100 * int(found[5]) // int(found[6]), line
    ends = [line for line in final_screen(seen) if bar.match(line)]
    stages = [bar.match(line)[1] for line in ends]
    assert "sft" in stages and "dpo-tuned" in stages and len(stages) == len(set(stages)), ends
    assert all(bar.match(line)[4] == "100" for line in ends), ends

    environment = {name: value for name, value in os.environ.items() if name != "RLAIF_PROGRESS"}
    done = subprocess.run([rlaif, "study", deck, f"--run.directory={second}"], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "\r" not in done.stderr and "\x1b" not in done.stderr, done.stderr[-500:]
    assert re.search(r"^sft: \d+/\d+ steps, .*, took ", done.stderr, re.MULTILINE), done.stderr[-500:]
    return 0


if __name__ == "__main__":
    sys.exit(main())
