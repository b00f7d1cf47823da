"""What judges are worth, what they cost and how they are combined: for the report of a study and of a calibration."""

import charts
from charts import escaped
from page import NO_FIGURE, dollars, duration, figure_cell, interval, number_cell, percent, row, share_cell, table
from run_data import number, plain, rate, section

# Title, key of evaluate::judge_report, cell.
MEASURES = (
    ("agreement", "agreement", share_cell), ("· first response shown first", "agreement_first_order", share_cell),
    ("· second response shown first", "agreement_second_order", share_cell),
    ("· at equal length", "agreement_at_equal_length", share_cell), ("Cohen's kappa", "kappa", number_cell),
    ("same verdict in both orders", "consistency", share_cell), ("same position in both orders", "same_position", share_cell),
    ("names the first shown", "first_shown", share_cell), ("names the longer", "longer_preferred", share_cell),
    ("expected calibration error", "calibration_error", number_cell))
PLAIN_MEASURES = (
    ("· after temperature", "calibration_error_after", lambda v: f"{v:.3f}"), ("temperature", "temperature", lambda v: f"{v:.3g}"),
    ("macro F1 of three labels", "macro_f1", lambda v: f"{v:.3f}"), ("cost of 1,000", "usd_per_1000", dollars))


def measures_table(reports, reference):
    """reports: {name: judge_report}; rows are measures, so that judges stand side by side."""
    if not reports:
        return ""
    rows = [row("pairs answered", [f"<td>{number(one.get('answered')) or 0:,.0f} of {number(one.get('pairs')) or 0:,.0f}</td>"
                                   for one in reports.values()])]
    for title, key, cell in MEASURES:
        if any(rate(one, key) is not None for one in reports.values()):
            rows.append(row(title, [cell(rate(one, key)) for one in reports.values()]))
    for title, key, form in PLAIN_MEASURES:
        if any(plain(one, key) is not None for one in reports.values()):
            rows.append(row(title, [figure_cell(plain(one, key), form) for one in reports.values()]))
    note = (f"Agreement with {reference} is over pairs with a better side, a verdict without one as half; kappa is over all three "
            "labels. 95 % intervals by prompt. A judge without bias names the same response in both orders and the first shown in "
            "50 %; at equal length is what a regression on the length difference reads at zero.")
    return f'<p class="note">{escaped(note)}</p>' + table(["measure", *reports], rows)


def reliability_section(reports):
    panels = []
    for index, (name, one) in enumerate(reports.items()):
        temperature = plain(one, "temperature")
        after = one.get("reliability_after") if temperature not in (None, 1.0) else None
        panels.append(charts.reliability(name, f"var(--arm-{index % 6})", one.get("reliability") or [], after or []))
    if not any(panels):
        return ""
    return ("<h3>Is a judge right as often as it claims?</h3><p>Verdicts by their confidence max(p, 1 − p) and the share of them that "
            "is right; on the dotted line a judge knows itself. A dot's area is the number of verdicts behind it; hollow dots are "
            f'after the temperature.</p><div class="panels">{"".join(panels)}</div>')


def cascade_points(steps, agreement, x_key):
    """[(label, x, y, Rate or None)] of a cascade's marks: the cheap judge alone, the cascade, the dear one alone."""
    first, last = steps[0], steps[-1]
    marks = []
    curve = first.get("curve") or []
    if curve:
        marks.append((f"{first.get('judge')} alone", plain(curve[0], x_key), plain(curve[0], "agreement"), None))
    chosen = section(first, "chosen")
    marks.append(("the cascade", plain(chosen, x_key), plain(chosen, "agreement"), agreement))
    alone = section(last, "last")
    marks.append(("the last judge alone", plain(alone, x_key), plain(alone, "agreement"), None))
    return [mark for mark in marks if mark[1] is not None and mark[2] is not None]


def cascades_section(cascades, agreements, held_out):
    """cascades: {name: steps of evaluate::cascade_report}; agreements: {name: Rate or None}; held_out: {name: {...}} or {}."""
    parts = []
    for name, steps in cascades.items():
        steps = [step for step in steps if isinstance(step, dict)]
        if not steps:
            continue
        # Judges without a price: what is saved is questions.
        in_dollars = any((plain(section(step, "last"), "usd_per_1000") or 0) > 0 for step in steps)
        x_key = "usd_per_1000" if in_dollars else "share_asked"
        curves = []
        for step in steps:
            points = [(plain(p, x_key), plain(p, "agreement")) for p in step.get("curve") or [] if isinstance(p, dict)]
            curves.append((f"threshold of {step.get('judge')}", [p for p in points if None not in p]))
        parts.append(f"<h3>The cascade {escaped(name)}: agreement against cost</h3>")
        parts.append(charts.cost_curve(curves, cascade_points(steps, agreements.get(name), x_key), in_dollars))
        rows = []
        for step in steps:
            chosen, last = section(step, "chosen"), section(step, "last")
            of_cost = None
            if plain(chosen, "usd_per_1000") is not None and plain(last, "usd_per_1000"):
                of_cost = plain(chosen, "usd_per_1000") / plain(last, "usd_per_1000")
            threshold = number(step.get("threshold"))
            rows.append(row(step.get("judge"), [
                figure_cell(threshold if threshold is not None else plain(chosen, "threshold"), lambda v: f"{v:.3f}"),
                share_cell(rate(chosen, "share_asked")), share_cell(rate(chosen, "agreement")),
                figure_cell(plain(chosen, "usd_per_1000"), dollars), share_cell(rate(step, "of_last_agreement")),
                figure_cell(of_cost, lambda v: f"{v * 100:.1f} %"), figure_cell(number(step.get("pairs")), lambda v: f"{v:,.0f}")]))
        parts.append(table(["judge", "threshold", "next one asked on", "agreement", "cost of 1,000", "of the last one's agreement",
                            "of its cost", "pairs"], rows))
        unseen = section(held_out, name)
        if unseen:
            of_last, agreement = rate(unseen, "of_last_agreement"), rate(unseen, "agreement")
            asked = ", ".join(f"{escaped(member)} on {share * 100:.1f} %" for member, share in section(unseen, "asked").items()
                              if number(share) is not None)
            parts.append(f"<p>On pairs that the thresholds were not chosen on: agreement {with_interval(agreement)}, "
                         f"{with_interval(of_last)} of the last one's, at {dollars(plain(unseen, 'usd_per_1000') or 0)} a thousand "
                         f"(asked: {asked}).</p>")
    if not parts:
        return ""
    return "".join(parts)


def with_interval(found):
    if found is None:
        return NO_FIGURE
    spread = f" ({interval(found)})" if found.has_interval else ""
    return f"<strong>{percent(found)}</strong>{spread}"


def members_table(judges):
    """Who of a combined judge was asked, and how often each is right on what it was asked."""
    rows = []
    for name, one in judges.items():
        members = section(one, "members")
        if not members:
            continue
        rows.append(row(f"<strong>{escaped(name)}</strong>", [f"<td>{number(section(one, 'heldout').get('pairs')) or 0:,.0f}</td>",
                                                               share_cell(rate(section(one, "heldout"), "agreement"))], raw=True))
        for member, facts in members.items():
            rows.append(row(f"· {member}", [figure_cell(number(facts.get("asked")), lambda v: f"{v:,.0f}"),
                                            share_cell(rate(facts, "agreement"))]))
    if not rows:
        return ""
    return ("<h3>Members on what they were asked</h3><p>Held-out pairs. A cascade's later members are asked about what the first was "
            "not sure of, which is harder than the whole.</p>" + table(["judge", "held-out pairs", "agreement"], rows))


def canaries_section(judges):
    rows = []
    for name, one in judges.items():
        counts = section(one, "canaries")
        if not counts:
            continue
        missed = sorted(section(counts, "not_right").items(), key=lambda item: (-(number(item[1]) or 0), item[0]))
        text = ", ".join(f"{escaped(what)} {number(count) or 0:.0f}" for what, count in missed[:5]) or NO_FIGURE
        rows.append(row(name, [share_cell(rate(one, "canary_right_share")),
                               *(figure_cell(number(counts.get(key)) or 0, lambda v: f"{v:,.0f}") for key in ("right", "wrong", "failed")),
                               f'<td class="words">{text}</td>']))
    if not rows:
        return ""
    return ("<h3>Canaries</h3><p>Planted pairs whose verdict is known, among them responses that talk to the judge; under 90 % right "
            "its other verdicts deserve as little trust.</p>"
            + table(["judge", "share right", "right", "wrong", "no verdict", "most often not right"], rows))


def money_section(costs):
    """costs: results.json's account of what judges and stages used."""
    uses = [one for one in costs.get("judges") or [] if isinstance(one, dict)]
    if not uses:
        return ""
    count, tokens = (lambda v: f"{v:,.0f}"), charts.short
    rows = []
    for one in uses:
        hours = number(one.get("rank_hours"))
        rows.append(row(one.get("judge"), [
            f'<td class="words">{escaped(one.get("stage"))}</td>', f'<td class="words">{escaped(one.get("price") or "–")}</td>',
            figure_cell(number(one.get("pairs")), count), figure_cell(number(one.get("responses")), count), figure_cell(number(one.get("labels")), count),
            figure_cell(number(one.get("input_tokens")), tokens), figure_cell(number(one.get("cached_input_tokens")), tokens),
            figure_cell(number(one.get("output_tokens")), tokens), figure_cell(number(one.get("cost_usd")), dollars),
            figure_cell(number(one.get("usd_a_label")), dollars), figure_cell(None if hours is None else hours * 3600, duration)]))
    total = sum(number(one.get("cost_usd")) or 0 for one in uses)
    rows.append(row("<strong>all</strong>", [*["<td></td>"] * 8, f"<td><strong>{dollars(total)}</strong></td>", "<td></td>", "<td></td>"], raw=True))
    text = table(["judge", "stage", "price", "pairs", "responses", "labels", "tokens in", "of them cached", "tokens out", "cost", "a label", "time, all ranks"], rows)
    for paid in costs.get("answers") or []:
        if isinstance(paid, dict):
            text += (f"<p>Answers of {escaped(paid.get('judge') or 'writer ' + str(paid.get('writer')))} over all starts: {number(paid.get('answers')) or 0:,.0f}, paid with "
                     f"{dollars(number(paid.get('paid_usd')) or 0)}; {dollars(number(paid.get('unsettled_usd')) or 0)} held for requests of "
                     "which nothing was heard.</p>")
    price = number(costs.get("usd_per_rank_hour")) or 0
    machines = sum(number(stage.get("machine_usd")) or 0 for stage in costs.get("stages") or [] if isinstance(stage, dict))
    note = (f"Machines at {dollars(price)} a rank and hour: {dollars(machines)} for all stages." if price > 0 else
            "Machines are not priced (plan.usd_per_rank_hour is 0).")
    return (f"<h3>What the labels cost</h3><p>By judge and stage, at the deck's prices; a combined judge's cost is that of the members it "
            f"asked. {note}</p>{text}")


def across_section(across):
    """Error correlation and how often two judges name the same side."""
    names = across.get("judges") or []
    if len(names) < 2:
        return ""
    kappa = rate(across, "fleiss_kappa")
    text = ""
    if kappa is not None:
        spread = f" ({kappa.low:.3f}\u00a0–\u00a0{kappa.high:.3f})" if kappa.has_interval else ""
        text = f"<p>Fleiss' kappa of all judges: <strong>{kappa.value:.3f}</strong>{spread} over {number(across.get('answered_by_all')) or 0:,.0f} pairs that all answered.</p>"
    for title, key, note in (("Correlation of errors", "error_correlation", "0 where judges err independently, as a majority vote assumes; 1 where they "
                              "err together, so that asking both is asking one"),
                             ("Same side named", "same_side", "over the pairs that both answered")):
        rows = []
        for name, values in zip(names, across.get(key) or []):
            rows.append(row(name, [heat_cell(number(value), key == "same_side") for value in values]))
        text += f'<h4>{title}</h4><p class="note">{note}</p>' + table(["", *names], rows)
    return f"<h3>Between judges</h3>{text}"


def heat_cell(value, as_percent):
    if value is None:
        return f"<td>{NO_FIGURE}</td>"
    text = f"{value * 100:.1f} %" if as_percent else f"{value:.3f}"
    return f'<td class="heat" style="--heat:{min(1.0, abs(value)) * 100:.0f}%">{text}</td>'
