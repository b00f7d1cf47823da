"""What judges that compared all policies say, beside the study's own yardstick: for the report of a study."""

import charts
from charts import escaped
from page import NO_FIGURE, dollars, figure_cell, number_cell, row, share_cell, table
from run_data import Rate, number, rate, section


def shown_name(name, found):
    """A judge that has taught an arm is marked."""
    return f"{name} *" if found.get("learned_by") else name


def interval_that_holds(found):
    """Of the win rate: where asking could stop, the one that holds at all looks."""
    share, looks = rate(found, "win_rate"), section(found, "sequence")
    if share is None or number(looks.get("low")) is None:
        return share
    return Rate(share.value, number(looks["low"]), number(looks["high"]))


def wins_of(yardsticks, colour_of):
    rows, bars = [], []
    for name, found in yardsticks.items():
        for pair, wins in section(found, "wins").items():
            first, _, second = pair.partition("_vs_")
            share = interval_that_holds(wins)
            if share is None:
                continue
            bars.append((f"{shown_name(name, found)}: {first} against {second}", colour_of(first), share, name == "gold" or name == "rules"))
            rows.append(row(shown_name(name, found), [
                f'<td class="words">{escaped(first)} against {escaped(second)}</td>', share_cell(share), share_cell(rate(wins, "named")), share_cell(rate(wins, "length_controlled")),
                figure_cell(number(wins.get("prompts")), lambda v: f"{v:,.0f}")]))
    return charts.forest(bars) + table(["by", "who against whom", "wins", "named", "at equal length", "prompts"], rows) if rows else ""


def ratings_of(verdict, yardsticks):
    policies = [name for name in verdict.get("policies") or [] if name != "sft"]
    rows = [row(shown_name(name, found), [number_cell(rate(section(found, "ratings"), policy), 0) for policy in policies])
            for name, found in yardsticks.items() if section(found, "ratings")]
    if not rows:
        return ""
    return ("<h3>Ratings</h3><p>Elo points over sft from all comparisons of a judge at once (Bradley and Terry); 100 points are 64 wins of "
            f"100.</p>{table(['by', *policies], rows)}")


def asked_of(yardsticks):
    count = lambda value: f"{value:,.0f}"
    rows = []
    for name, found in yardsticks.items():
        if number(found.get("asked")) is None:
            continue
        failed = sum(number(value) or 0 for value in section(found, "failed").values())
        rows.append(row(shown_name(name, found), [
            figure_cell(number(found["asked"]), count), figure_cell(number(found.get("equal")), count), figure_cell(number(found.get("not_asked")), count),
            figure_cell(failed, count), figure_cell(number(found.get("ties")), count), figure_cell(number(found.get("cost_usd")), dollars)]))
    return "<h3>What was asked</h3>" + table(["judge", "comparisons", "equal responses", "left out", "failed", "ties", "cost"], rows) if rows else ""


def agreement_of(verdict, yardsticks):
    names = list(yardsticks)
    shares = {}
    for found in verdict.get("agreement") or []:
        if isinstance(found, dict):
            shares[found.get("a"), found.get("b")] = shares[found.get("b"), found.get("a")] = rate(found, "share")
    if not shares:
        return ""
    rows = [row(name, [share_cell(shares.get((name, other))) if name != other else f"<td>{NO_FIGURE}</td>" for other in names]) for name in names]
    return ("<h3>Do they agree?</h3><p>How often two of them name the same side, of the pairs of responses on which both name one.</p>"
            + table(["", *names], rows))


def verdict_section(results, colour_of):
    verdict = section(results, "verdict")
    yardsticks = {name: found for name, found in section(verdict, "yardsticks").items() if isinstance(found, dict)}
    if not yardsticks:
        return ""
    error_rate = number(verdict.get("stop_error_rate")) or 0
    note = ("Judges compare the policies' responses to the same held-out prompts and are not told whose they are. A win is P(better) in a judge's eyes, “named” counts sides; a tie is half of either. "
            "“At equal length” is what a regression on the length difference reads at zero.")
    if error_rate > 0:
        note += (f" Nobody was asked any more about two policies once it was known who wins: intervals of wins hold however often one looks, "
                 f"with an error rate of {error_rate:g}; the others take no account of when asking ended.")
    taught = "; ".join(f"{name} has taught {', '.join(map(str, found['learned_by']))}" for name, found in yardsticks.items() if found.get("learned_by"))
    marks = f'<p class="note bad">* {escaped(taught)}: an arm may have learned to please its judge.</p>' if taught else ""
    return (f"<h2>The verdict</h2><p>{escaped(note)}</p>{wins_of(yardsticks, colour_of)}{marks}{ratings_of(verdict, yardsticks)}"
            f"{agreement_of(verdict, yardsticks)}{asked_of(yardsticks)}")
