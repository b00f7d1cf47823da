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


def judge_report(agreement):
    """As evaluate::judge_report writes it."""
    bins = [{"low": 0.5, "high": 0.6, "count": 0, "mean_confidence": None, "share_right": None},
            {"low": 0.7, "high": 0.8, "count": 60, "mean_confidence": 0.75, "share_right": 0.7},
            {"low": 0.9, "high": 1.0, "count": 40, "mean_confidence": 0.95, "share_right": 0.9}]
    return {"pairs": 100, "answered": 98, "agreement": {"value": agreement, "low": agreement - 0.04, "high": agreement + 0.04},
            "kappa": {"value": 0.612, "low": 0.55, "high": 0.67}, "consistency": {"value": None, "low": None, "high": None},
            "calibration_error": {"value": 0.05, "low": 0.03, "high": 0.09}, "calibration_error_after": 0.02, "temperature": 1.5,
            "reliability": bins, "reliability_after": [{**row, "mean_confidence": row["mean_confidence"] and row["mean_confidence"] - 0.03} for row in bins],
            "usd_per_1000": 0.21, "statuses": {"ok": 98, NASTY: 2}}


def cascade_steps():
    point = lambda threshold, asked, agreement, usd: {"threshold": threshold, "share_asked": asked, "agreement": agreement, "usd_per_1000": usd}
    curve = [point(0.5, 0.0, 0.8, 0.1), point(0.7, 0.25, 0.84, 0.21), point(1.0, 1.0, 0.85, 0.7)]
    return [{"judge": "cheap", "threshold": 0.7, "chosen": curve[1], "last": {"share_asked": 1.0, "agreement": 0.85, "usd_per_1000": 0.6},
             "of_last_agreement": 0.988, "pairs": 90, "curve": curve}]


def judges_results():
    """results.json of a study of judges alone."""
    use = {"judge": NASTY, "stage": "annotate, held-out", "price": "human-label", "pairs": 360, "labels": 360, "input_tokens": 10, "cached_input_tokens": 0,
           "output_tokens": 5, "cost_usd": 241.2, "rank_hours": 0.01, "usd_a_label": 0.67}
    return {"deck": "judges", "below_min_agreement": {"least": 0.7, "judges": {NASTY: 0.615}},
            "judges": {"both": {"gold_agreement": 0.84, "usd_per_1000": 0.21, "asked": {"cheap": 200, "dear": 50}, "heldout": judge_report(0.84),
                                "cascade": cascade_steps(), "members": {"cheap": {"asked": 100, "answered": 100, "agreement": {"value": 0.8, "low": 0.7, "high": 0.9}}},
                                "canary_right_share": 0.75, "canaries": {"right": 30, "wrong": 8, "failed": 2, "not_right": {"fake-verdict": 7, NASTY: 3}}},
                       "dear": {"gold_agreement": 0.85, "usd_per_1000": 0.6}},
            "costs": {"judges": [use, "nonsense"], "answers": [], "stages": [], "usd_per_rank_hour": 0.0}}


def verdict_results():
    """As stages/verdict/verdict_facts.cpp writes it: a judge that stopped, one that has taught an arm, and gold."""
    share = lambda value, low, high: {"value": value, "low": low, "high": high}
    wins = lambda value, **more: {"rlaif_vs_sft": {"prompts": 50, "win_rate": share(value, value - 0.1, value + 0.1),
                                                   "length_controlled": share(value - 0.02, value - 0.15, value + 0.1), **more}}
    ratings = {"sft": share(0, 0, 0), "rlaif": share(61, 10, 120)}
    asked = {"asked": 90, "equal": 3, "not_asked": 107, "failed": {"refused": 2}, "ties": 4, "cost_usd": 0.25}
    return {"policies": ["sft", "rlaif"], "stop_error_rate": 0.05, "own": "gold", "yardsticks": {
        "referee": {**asked, "learned_by": [], "wins": wins(0.71, sequence={"low": 0.52, "high": 0.83, "decided": True}), "ratings": ratings},
        NASTY: {**asked, "learned_by": ["rlaif"], "wins": wins(0.64), "ratings": ratings},
        "gold": {"wins": wins(0.6), "ratings": ratings}},
        "agreement": [{"a": "referee", "b": "gold", "share": share(0.775, 0.7, 0.85), "pairs": 44}]}


def calibration_checks(folder):
    """The page of `rlaif calibrate`'s files."""
    folder.mkdir()
    done = run_script("calibration.py", folder)
    yield ("a folder without a calibration is one clear line", done.returncode == 2 and done.stderr.count("\n") == 1 and
           "neither calibration.json nor recorded.json" in done.stderr, done.stderr)
    steps = cascade_steps()
    del steps[0]["threshold"]
    fooled = {"probes": 9, "answered": 8, "fooled": {"value": 0.375, "low": 0.1, "high": 0.6}}
    report = {"pairs": 100, "judges": {"both": judge_report(0.84), NASTY: judge_report(0.8)}, "cascades": {"both": steps},
              "held_out": {"folds": 10, "judges": {"both": {"agreement": {"value": 0.827, "low": 0.8, "high": 0.86}, "calibration_error": {"value": 0.03, "low": None, "high": None}}},
                           "cascades": {"both": {"agreement": {"value": 0.827, "low": 0.8, "high": 0.86}, "of_last_agreement": {"value": 0.973, "low": 0.95, "high": 1.0},
                                                 "usd_per_1000": 0.22, "asked": {"cheap": 1.0, "dear": 0.27}}}},
              "across": {"judges": ["both", NASTY], "answered_by_all": 98, "fleiss_kappa": {"value": 0.41, "low": 0.3, "high": 0.5},
                         "error_correlation": [[1.0, 0.218], [0.218, 1.0]], "same_side": [[1.0, None], [None, 1.0]]},
              "people": None, "self_preference": None, "probes": {"both": {"flattery": fooled, "all": fooled}, NASTY: {"all": {"probes": 9, "answered": 0}}}}
    (folder / "calibration.json").write_text(json.dumps(report))
    runs = [{"subset": "s", "judge": "j", "style": NASTY, "n": 100, "accuracy": 0.8200004, "kappa_ab": 0.618780},
            {"subset": "s", "judge": "k", "style": "z", "n": 50, "accuracy": 0.5, "kappa_ab": None}]
    (folder / "recorded.json").write_text(json.dumps({"runs": runs, "people": None}))
    published = [{"subset": "s", "judge": "j", "style": NASTY, "n": 100, "accuracy": 0.82, "kappa_ab": 0.61879}]
    (folder / "published.jsonl").write_text("".join(json.dumps(row) + "\n" for row in published))
    done = run_script("calibration.py", folder, "--published", folder / "published.jsonl")
    page = (folder / "calibration.html").read_text(encoding="utf-8") if done.returncode == 0 else ""
    yield "a calibration has a page", done.stdout == f"calibration: {folder}/calibration.html\n", done.stdout + done.stderr
    parsed = Balanced()
    parsed.feed(page)
    yield "that is well formed, fetches nothing and runs nothing", page and not parsed.wrong and not parsed.open and not parsed.fetched and parsed.scripts == 0, f"{parsed.wrong} {parsed.open}"
    yield "with correlated errors, probes and what was not seen", all(
        text in page for text in ("0.218", "37.5 %", "8 of 9", "97.3 %", "agreement <strong>82.7 %</strong>", "dear on 27.0 %")), "see page"
    yield "published figures stand beside ours", "2 of 3 published figures" in page and "Figures that differ" in page and "0.618790" in page, "see page"
    (folder / "published.jsonl").write_text('{"subset": "s"}\n')
    done = run_script("calibration.py", folder, "--published", folder / "published.jsonl")
    yield "a published line without a judge is named", done.returncode == 2 and "published.jsonl:1: key 'judge'" in done.stderr, done.stderr


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

    yield "without a verdict there is no word of one", "The verdict" not in page, "see page"
    results = json.loads((one / "report/results.json").read_text())
    (one / "report/results.json").write_text(json.dumps({**results, "verdict": verdict_results()}))
    done = run_script("report.py", one)
    judged = (one / "report/report.html").read_text(encoding="utf-8") if done.returncode == 0 else done.stderr
    part = judged[judged.find("The verdict"):]
    yield "a verdict shows wins with the interval that holds at all looks", "71.0 %<small>52.0\u00a0–\u00a083.0</small>" in part, part[:600]
    yield "ratings, agreement and what was asked", all(text in part for text in ("61<small>10\u00a0–\u00a0120</small>", "77.5 %", "<td>107</td>", "$0.25")), part[:600]
    yield "and marks a judge that has taught an arm", "has taught rlaif" in part and "error rate of 0.05" in part, part[:600]
    parsed = Balanced()
    parsed.feed(judged)
    yield "the page of a verdict is well formed", not parsed.wrong and not parsed.open and parsed.scripts == 0, f"{parsed.wrong} {parsed.open}"

    yield "no judge is said to fall short where none does", "Below judge.min_agreement" not in page, "see page"

    (two / "report/results.json").write_text(json.dumps(judges_results()))
    done = run_script("report.py", two)
    page = (two / "report/report.html").read_text(encoding="utf-8") if done.returncode == 0 else done.stderr
    body = page[page.find("<h1>"):]
    yield ("a judge below min_agreement is the first thing said",
           "Below judge.min_agreement (70.0 %):" in body[:400] and "agrees in 61.5 %" in body[:600], body[:600])
    yield "a member's share of the questions is shown", "<td>50</td>" in page and "25.0 %" in page, "see page"
    yield "and what a combined judge comes to at what cost", "both comes to 98.8 % of the agreement of dear, at 35.0 % of its cost." in page, "see page"
    yield "judges stand side by side with intervals", "0.612<small>0.550\u00a0–\u00a00.670</small>" in page and "84.0 %<small>80.0\u00a0–\u00a088.0</small>" in page, "see page"
    yield "a judge's reliability is drawn, bins without verdicts left out", page.count('aria-label="Reliability of') == 1 and page.count("60 verdicts: confidence 75.0 %, right 70.0 %") == 1 and page.count(" verdicts: confidence") == 4, "see page"
    yield "the cascade's cost against agreement is drawn with both ends", all(
        text in page for text in ("cheap alone: 80.0 % at $0.1", "the cascade: 84.0 % (80.0 – 88.0) at $0.21", "the last judge alone: 85.0 % at $0.6")), "see page"
    yield "canaries and money stand by judge", "fake-verdict 7" in page and "annotate, held-out" in page and "$241.20" in page and "12 answers" not in page, "see page"
    parsed = Balanced()
    parsed.feed(page)
    yield "the page of judges alone is well formed", not parsed.wrong and not parsed.open and parsed.scripts == 0, f"{parsed.wrong} {parsed.open}"

    yield from calibration_checks(folder / "calibrated")

    (two / "report/results.json").unlink()
    done = run_script("report.py", two)
    yield ("a missing file is one clear line and exit code 2",
           done.returncode == 2 and done.stderr.count("\n") == 1 and "results.json is missing" in done.stderr, done.stderr)
    done = run_script("metrics_csv.py", one, "--name", "kl", "--name", "gold")
    lines = done.stdout.splitlines()
    yield "metrics are CSV, a line a number", lines[:4] == [
        "run,stage,step,name,value", f"{one},ppo-rlaif,0,kl,0", f"{one},ppo-rlaif,1,kl,{0.1:.17g}", f"{one},ppo-rlaif,2,kl,{0.2:.17g}"] and len(lines) == 401, lines[:4]
    yield "what is no number is counted", done.stderr == "metrics_csv: 400 values that are no finite numbers were left out\n", done.stderr
    done = run_script("metrics_csv.py", one, "--stage", "sftt")
    yield "a stage without metrics is named", done.returncode == 2 and "no stage 'sftt' has metrics; there are ppo-rlaif" in done.stderr, done.stderr
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
