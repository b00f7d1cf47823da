#!/usr/bin/env python3
"""Turns what `rlaif calibrate` wrote into one self-contained page: FOLDER/calibration.html.

    python3 analysis/calibration.py FOLDER [--published FILE] [--output FILE]

FOLDER holds calibration.json (judges against labels), recorded.json (figures of recorded verdicts) or both. FILE has published
figures to stand beside those of recorded.json: JSON Lines with subset, judge, style and figures of the same names, or one JSON
object {"judges": {name: figures}, "annotator_kappa": {pair: kappa}}. Standard library only. Ends with 2 and one line where a file
is missing or is not what was expected.
"""

import argparse
import math
import pathlib
import sys

import judges as judge_parts
from charts import escaped
from page import NO_FIGURE, document, number_cell, percent, row, share_cell, table, write_page
from run_data import RunError, number, rate, read_json, read_json_lines, section

DIGITS = 6  # of published figures


# --- judges against labels -----------------------------------------------------------------------
def headline(report):
    found = [(name, rate(one, "agreement")) for name, one in section(report, "judges").items() if isinstance(one, dict)]
    found = [(name, agreement) for name, agreement in found if agreement is not None]
    if not 0 < len(found) <= 5:
        return ""
    tiles = []
    for index, (name, agreement) in enumerate(found):
        spread = f"{agreement.low * 100:.1f}\u00a0–\u00a0{agreement.high * 100:.1f}, 95 % interval" if agreement.has_interval else ""
        tiles.append(f'<div class="tile" style="--colour:var(--arm-{index % 6})"><span>{escaped(name)} agrees with the labels</span>'
                     f"<b>{percent(agreement)}</b><span>{spread}</span></div>")
    return f'<div class="tiles">{"".join(tiles)}</div>'


def held_out_section(held_out):
    rows = []
    for name, one in section(held_out, "judges").items():
        cascade = section(section(held_out, "cascades"), name)
        rows.append(row(name, [share_cell(rate(one, "agreement")), number_cell(rate(one, "calibration_error")),
                               share_cell(rate(cascade, "of_last_agreement"))]))
    if not rows:
        return ""
    return (f"<h3>On pairs it was not fitted to</h3><p>Temperatures, weights and thresholds fitted to all but one of "
            f"{number(held_out.get('folds')) or 0:.0f} parts of the prompts and held against that one, each part in turn. A figure that is "
            "much better above than here was learned by heart.</p>"
            + table(["judge", "agreement", "calibration error", "of its last judge's agreement"], rows))


def people_section(people):
    rows = [row(pair, [number_cell(rate({"k": value}, "k"), DIGITS)]) for pair, value in section(people, "cohens_kappa").items()]
    if not rows:
        return ""
    fleiss = number(people.get("fleiss_kappa"))
    text = "" if fleiss is None else f" Fleiss' kappa of all: <strong>{fleiss:.{DIGITS}f}</strong>."
    return (f"<h3>People among themselves</h3><p>{number(people.get('people')) or 0:.0f} people on {number(people.get('pairs')) or 0:,.0f} "
            f"pairs: what a judge cannot be asked to exceed by much.{text}</p>" + table(["two of them", "Cohen's kappa"], rows))


def probes_section(probes):
    """Kinds of probes down, judges across."""
    kinds = []
    for one in probes.values():
        kinds += [kind for kind in one if kind not in kinds and isinstance(one[kind], dict)]
    kinds.sort(key=lambda kind: (kind == "all", kind))
    if not kinds:
        return ""
    rows = []
    for kind in kinds:
        cells, count, unanswered = [], 0, []
        for name, one in probes.items():
            facts = section(one, kind)
            count = max(count, number(facts.get("probes")) or 0)
            if (number(facts.get("answered")) or 0) < (number(facts.get("probes")) or 0):
                unanswered.append(name)
            cells.append(share_cell(rate(facts, "fooled")))
        title = f"<strong>{escaped(kind)}</strong>" if kind == "all" else escaped(kind)
        rows.append(row(f"{title} ({count:.0f})", cells, raw=True))
    answered = [row("answered", [f"<td>{number(section(one, 'all').get('answered')) or 0:,.0f} of {number(section(one, 'all').get('probes')) or 0:,.0f}</td>"
                                 for one in probes.values()])]
    return ("<h2>Who is fooled, by what</h2><p>Probes are pairs whose better response is known by how they were made; the share of the "
            "answered ones on which the bad one is named, a tie as half. 50 % is a coin.</p>"
            + table(["kind", *probes], [*answered, *rows]))


def self_section(own):
    writers = own.get("writers") or []
    excess = section(own, "excess")
    if not writers:
        return ""
    rows = []
    for judge, rates in section(own, "win_rates").items():
        cells = [share_cell(rate(rates, writer)) for writer in writers]
        rows.append(row(judge, [*cells, share_cell(rate(excess, judge)) if judge in excess else f"<td>{NO_FIGURE}</td>"]))
    return ("<h3>Self-preference</h3><p>How often each judge (down) prefers each writer (across); the last column is what a judge gives "
            "its own writing more than the other judges do.</p>" + table(["judge", *writers, "excess of its own"], rows))


def calibration_parts(report):
    reports = {name: one for name, one in section(report, "judges").items() if isinstance(one, dict)}
    held_out = section(report, "held_out")
    cascades = {name: steps for name, steps in section(report, "cascades").items() if isinstance(steps, list)}
    curves = judge_parts.cascades_section(cascades, {name: rate(reports.get(name), "agreement") for name in cascades},
                                          section(held_out, "cascades"))
    return [headline(report), f"<h2>Judges against labels</h2>{judge_parts.measures_table(reports, 'the labels')}",
            judge_parts.reliability_section(reports), held_out_section(held_out),
            f"<h2>Cascades</h2>{curves}" if curves else "", judge_parts.across_section(section(report, "across")),
            people_section(section(report, "people")), self_section(section(report, "self_preference")),
            probes_section({name: one for name, one in section(report, "probes").items() if isinstance(one, dict)})]


# --- published figures ---------------------------------------------------------------------------
def numbers_in(figures, path=""):
    """{"null_is_tie f1": 0.5}: numbers of an object and of the objects in it."""
    found = {}
    for key, value in figures.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            found.update(numbers_in(value, f"{name} "))
        elif number(value) is not None:
            found[name] = number(value)
    return found


def published_figures(file):
    """{(subset, judge, style): {figure: number}}, {pair of people: kappa}"""
    if file.suffix == ".jsonl":
        rows = read_json_lines(file)
        for line, one in enumerate(rows, 1):
            if not isinstance(one.get("judge"), str):
                raise RunError(f"{file}:{line}: key 'judge' is missing")
        return {(one.get("subset", ""), one["judge"], one.get("style", "")): numbers_in(one) for one in rows}, {}
    whole = read_json(file)
    runs = {("", name, ""): numbers_in(one) for name, one in section(whole, "judges").items() if isinstance(one, dict)}
    # `null` counts verdicts that are none; recorded.json counts them by order.
    for figures in runs.values():
        if "null" in figures:
            figures["null_ab"] = figures.pop("null")
    return runs, numbers_in(section(whole, "annotator_kappa"))


def same(published, computed):
    return computed is not None and math.isclose(published, round(computed, DIGITS), rel_tol=0, abs_tol=0.5 * 10**-DIGITS)


def compared(runs, published):
    """[(run, figure, published, ours)] of the runs that both have; a run that is named by its judge alone fits any subset."""
    pairs = []
    for run in runs:
        key = (run.get("subset", ""), run.get("judge", ""), run.get("style", ""))
        theirs = published.get(key) or published.get(("", key[1], ""))
        if theirs is None:
            continue
        ours = numbers_in(run)
        pairs += [(key, name, value, ours[name]) for name, value in theirs.items() if name in ours]
    return pairs


SHOWN = ("n", "accuracy", "agreement", "kappa_ab", "kappa_ba", "null_is_tie accuracy", "null_is_tie f1")


def run_rows(runs, published):
    """A row a run, published and ours side by side; the text's digits are the published ones."""
    shown = [name for name in SHOWN if any(name in numbers_in(run) for run in runs)]
    rows = []
    for run in runs:
        key = (run.get("subset", ""), run.get("judge", ""), run.get("style", ""))
        theirs = published.get(key) or published.get(("", key[1], "")) or {}
        ours = numbers_in(run)
        cells = []
        for name in shown:
            if name not in ours:
                cells.append(f"<td>{NO_FIGURE}</td>")
                continue
            text = f"{ours[name]:.{DIGITS}g}" if name == "n" else f"{ours[name]:.{DIGITS}f}"
            beside = ""
            if name in theirs:
                kind = "good" if same(theirs[name], ours[name]) else "bad"
                beside = f'<small class="{kind}">{theirs[name]:.{DIGITS}g}</small>' if name == "n" else f'<small class="{kind}">{theirs[name]:.{DIGITS}f}</small>'
            cells.append(f"<td>{text}{beside}</td>")
        rows.append(row(" / ".join(str(part) for part in key if part), cells))
    return shown, rows


def recorded_parts(recorded, published_file):
    runs = [run for run in recorded.get("runs") or [] if isinstance(run, dict)]
    published, kappas = published_figures(published_file) if published_file else ({}, {})
    pairs = compared(runs, published)
    own_kappas = section(section(recorded, "people"), "cohens_kappa")
    pairs += [(("", "people", ""), f"kappa {pair}", value, number(own_kappas.get(pair))) for pair, value in kappas.items()]
    parts = []
    if published_file:
        wrong = [pair for pair in pairs if not same(pair[2], pair[3])]
        verdict = f'<strong class="{"bad" if wrong or not pairs else "good"}">{len(pairs) - len(wrong)} of {len(pairs)} published figures</strong>'
        parts.append(f'<p class="headline">{verdict} come out the same to {DIGITS} digits.</p>')
        if wrong:
            rows = [row(" / ".join(part for part in key if part), [f'<td class="words">{escaped(name)}</td>', f"<td>{theirs:.{DIGITS}f}</td>",
                        f"<td>{NO_FIGURE if ours is None else f'{ours:.{DIGITS}f}'}</td>"]) for key, name, theirs, ours in wrong]
            parts.append("<h3>Figures that differ</h3>" + table(["run", "figure", "published", "ours"], rows))
    shown, rows = run_rows(runs, published)
    beside = ", the published figure below" if published else ""
    parts.append(f"<h2>Recorded verdicts</h2><p>Each run of a judge over a set of pairs, worked out again from its verdicts{beside}.</p>"
                 + table(["set / judge / style", *(name.replace("_", " ") for name in shown)], rows))
    parts.append(people_section(section(recorded, "people")))
    return parts


def main():
    parser = argparse.ArgumentParser(description="Writes the page of a calibration.")
    parser.add_argument("folder", type=pathlib.Path, help="what calibrate.output named")
    parser.add_argument("--published", type=pathlib.Path, help="published figures of the recorded verdicts")
    parser.add_argument("--output", type=pathlib.Path, help="file to write (default: FOLDER/calibration.html)")
    options = parser.parse_args()
    output = options.output or options.folder / "calibration.html"
    try:
        files = {name: options.folder / f"{name}.json" for name in ("calibration", "recorded")}
        found = {name: read_json(file) for name, file in files.items() if file.exists()}
        if not found:
            raise RunError(f"{options.folder} holds neither calibration.json nor recorded.json: what `rlaif calibrate` wrote was expected")
        if options.published and "recorded" not in found:
            raise RunError(f"{files['recorded']} is missing: published figures stand beside those of recorded verdicts")
        parts, facts = [], []
        if "calibration" in found:
            parts += calibration_parts(found["calibration"])
            facts.append(f"{number(found['calibration'].get('pairs')) or 0:,.0f} labelled pairs")
        if "recorded" in found:
            parts += recorded_parts(found["recorded"], options.published)
            facts.append(f"{len(found['recorded'].get('runs') or []):,} recorded runs")
        write_page(output, document("Calibration of judges", ", ".join(facts), parts))
    except RunError as error:
        print(f"calibration.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"calibration.py: {output} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"calibration: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
