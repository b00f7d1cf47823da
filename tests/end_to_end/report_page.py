#!/usr/bin/env python3
"""The analysis scripts over a small run directory made here. Prints `PASS name` or `FAIL name: why`."""

import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
VOID = {"meta", "br", "hr", "img", "input", "link", "line", "circle", "rect", "polygon", "polyline"}
NASTY = '<script>alert("x")</script> & \x07 \ud800'


def write_run(folder, ranks, seconds):
    for name in ("report", "metrics", "evaluation", "stages"):
        (folder / name).mkdir(parents=True)
    results = {
        "deck": NASTY, "seed": 3, "ranks": ranks,
        "arms": {"sft": {"helpful": 0.48},
                 "rlaif": {"win_rate_vs_sft": 0.705, "ci_low": 0.686, "ci_high": 0.724, "judge": "ai", "helpful": 0.72},
                 "rlhf": {"win_rate_vs_sft": {"value": 0.49, "low": 0.47, "high": 0.51}, "judge": NASTY, "helpful": None}},
        "sft_against_itself": {"win_rate": 0.55, "ci_low": 0.53, "ci_high": 0.57},
        "head_to_head": {"rlaif_vs_rlhf": {"win_rate": 0.61, "ci_low": 0.59, "ci_high": 0.63}},
        "stages": [{"stage": stage, "wall_seconds": time} for stage, time in seconds.items()]}
    (folder / "report/results.json").write_text(json.dumps(results))
    (folder / "run.json").write_text(json.dumps({"name": "t", "deck": {"run.seed": "3"}, "other_settings": {}}))
    for stage, time in seconds.items():
        marker = {"stage": stage, "wall_seconds": time, "peak_memory_bytes": 100 * 2**20, "ranks": ranks}
        (folder / f"stages/{stage}.json").write_text(json.dumps(marker))
    ppo = [{"step": step, "reward": step * 0.5, "gold": None, "kl": 0.1 * step} for step in range(400)]
    # A killed writer leaves half a line.
    (folder / "metrics/ppo-rlaif.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ppo) + '{"step": 400, "rew')
    for name in ("sft", "rlaif", "rlhf"):
        row = {"prompt_id": 7, "family": "fact", "prompt": NASTY, "samples": [{"response": NASTY, "ended": False, "utility": 1}]}
        (folder / f"evaluation/{name}.jsonl").write_text(json.dumps(row) + "\n")


class Balanced(html.parser.HTMLParser):
    """Whether every element that opens closes; and whatever would be fetched from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.fetched, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attributes):
        self.scripts += tag == "script"
        self.fetched += [value for name, value in attributes if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.fetched += [value for name, value in attributes if name in ("src", "href", "xlink:href")]


def run_script(name, *arguments):
    command = [sys.executable, "-B", str(ROOT / "analysis" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def checks(folder):
    """Yields (name, whether it holds, what was seen)."""
    one, two = folder / "one", folder / "two"
    write_run(one, 1, {"zeta": 8.0, "alpha": 3.0})
    write_run(two, 2, {"zeta": 4.0, "alpha": 2.0})

    done = run_script("report.py", one)
    page = (one / "report/report.html").read_text(encoding="utf-8") if done.returncode == 0 else ""
    yield "the report names the page it wrote", done.stdout == f"report: {one}/report/report.html\n", done.stdout + done.stderr
    parsed = Balanced()
    parsed.feed(page)
    yield "the page is well formed", page and not parsed.wrong and not parsed.open, f"{parsed.wrong} {parsed.open}"
    yield "the page fetches nothing", not parsed.fetched and not re.search(r"url\(|@import", page), str(parsed.fetched)
    yield "the run's text is escaped", parsed.scripts == 0 and "&lt;script&gt;" in page and r"\u0007 \ud800" in page, "see page"
    yield "win rates are shown with their intervals", "70.5 %" in page and "68.6\u00a0–\u00a072.4" in page, "see page"
    yield "the headline tells clear gains from unclear ones", "rlaif improves on the SFT model; rlhf does not clearly" in page, "see page"
    yield "a failed SFT check is pointed out", "Here it does not" in page, "see page"

    yield "no judge is said to fall short where none does", "Below judge.min_agreement" not in page, "see page"

    results = {"deck": "judges", "below_min_agreement": {"least": 0.7, "judges": {NASTY: 0.615}},
               "judges": {"both": {"gold_agreement": 0.84, "usd_per_1000": 0.21, "asked": {"cheap": 200, "dear": 50}},
                          "dear": {"gold_agreement": 0.85, "usd_per_1000": 0.6}}}
    (two / "report/results.json").write_text(json.dumps(results))
    done = run_script("report.py", two)
    page = (two / "report/report.html").read_text(encoding="utf-8") if done.returncode == 0 else done.stderr
    body = page[page.find("<h1>"):]
    yield ("a judge below min_agreement is the first thing said",
           "Below judge.min_agreement (70.0 %):" in body[:400] and "agrees in 61.5 %" in body[:600], body[:600])
    yield "a member's share of the questions is shown", "<td>50</td>" in page and "25.0 %" in page, "see page"
    yield "and what a combined judge comes to at what cost", "both comes to 98.8 % of the agreement of dear, at 35.0 % of its cost." in page, "see page"
    parsed = Balanced()
    parsed.feed(page)
    yield "the page of judges alone is well formed", not parsed.wrong and not parsed.open and parsed.scripts == 0, f"{parsed.wrong} {parsed.open}"

    (two / "report/results.json").unlink()
    done = run_script("report.py", two)
    yield ("a missing file is one clear line and exit code 2",
           done.returncode == 2 and done.stderr.count("\n") == 1 and "results.json is missing" in done.stderr, done.stderr)
    (one / "metrics/sft.jsonl").write_text('{"step": 1}\nnonsense\n')
    done = run_script("report.py", one)
    yield "a bad record is named by file and line", done.returncode == 2 and "sft.jsonl:2:" in done.stderr, done.stderr

    done = run_script("stage_times.py", one, two)
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()[2:]}
    yield "stages stand in the order they ran", list(rows) == ["zeta", "alpha", "total"], done.stdout + done.stderr
    yield "stage times are compared by ranks", rows.get("zeta", [])[:3] == ["8.00", "4.00", "2.00"], done.stdout
    yield "totals sum the stages", rows.get("total", [])[:3] == ["11.00", "6.00", "1.83"], done.stdout


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, holds, seen in checks(pathlib.Path(folder)):
            failed += not holds
            print(f"PASS {name}" if holds else f"FAIL {name}: {' '.join(str(seen).split())}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
