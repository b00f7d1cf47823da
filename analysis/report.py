#!/usr/bin/env python3
"""Turns a run directory into one self-contained page: RUN/report/report.html.

    python3 analysis/report.py RUN [--output FILE]

Standard library only. Ends with 2 and one line where a file is missing or is not what was expected.
"""

import argparse
import json
import pathlib
import sys

import charts
import judges as judge_parts
from charts import escaped
from page import NO_FIGURE, document, dollars, duration, figure_cell, interval, memory, percent, share_cell, table, write_page
from revisions import revisions_section
from run_data import RunError, load_run, number, plain, rate, section
from verdict import verdict_section


class Colours:
    def __init__(self, arms):
        self.index = {name: index % 6 for index, name in enumerate(arms)}

    def of(self, name):
        return f"var(--arm-{self.index[name]})" if name in self.index else "var(--arm-sft)"

    def dot(self, name):
        return f'<span class="dot" style="--colour:{self.of(name)}"></span>'


def measure(run):
    """What responses were held against, in words."""
    return "score by the rules" if run.results.get("yardstick") == "rules" else "gold score"


# --- sections ------------------------------------------------------------------------------------
def below_agreement(run):
    """Said before anything else: a judge fell short of what the deck asks for, and the study went on."""
    below = section(run.results, "below_min_agreement")
    judges = [(name, number(value)) for name, value in section(below, "judges").items()]
    if not judges:
        return ""
    found = ", ".join(f"{escaped(name)} agrees in {(value or 0) * 100:.1f} %" for name, value in judges)
    least = number(below.get("least")) or 0
    return (f'<p class="headline bad"><strong>Below judge.min_agreement ({least * 100:.1f} %):</strong> {found}. '
            "What follows was learned from these labels all the same.</p>")


def headline(run, colours):
    arms = section(run.results, "arms")
    tiles, sentences = [], []
    for name in run.arms:
        found = rate(arms[name], "win_rate_vs_sft")
        if found is None:
            continue
        spread = f"95 % interval {interval(found)}" if found.has_interval else ""
        judge = arms[name].get("judge")
        source = f"labels by {judge}" if isinstance(judge, str) else ""
        tiles.append(f'<div class="tile" style="--colour:{colours.of(name)}"><span>{escaped(name)} preferred to SFT</span>'
                     f"<b>{percent(found)}</b><span>{spread}</span><span>{escaped(source)}</span></div>")
    for pair, found in head_to_head(run):
        first, second = pair
        if found.has_interval and found.low > 0.5:
            verdict = f"<strong>{escaped(first)} is ahead</strong>"
        elif found.has_interval and found.high < 0.5:
            verdict = f"<strong>{escaped(second)} is ahead</strong>"
        else:
            verdict = "<strong>no clear difference</strong>"
        spread = f" ({interval(found)})" if found.has_interval else ""
        sentences.append(f"Head to head, {escaped(first)} wins {percent(found)}{spread} against {escaped(second)}: "
                         f"{verdict}.")
    compared = [name for name in run.arms if rate(arms[name], "win_rate_vs_sft") is not None]
    better = [escaped(name) for name in compared if is_above_half(rate(arms[name], "win_rate_vs_sft"))]
    others = [escaped(name) for name in compared if escaped(name) not in better]
    if better:
        first = f"{' and '.join(better)} {'improves' if len(better) == 1 else 'improve'} on the SFT model"
        rest = f"; {' and '.join(others)} {'does' if len(others) == 1 else 'do'} not clearly" if others else ""
        sentences.insert(0, f"{first}{rest}.")
    elif compared:
        sentences.insert(0, "No arm clearly improves on the SFT model.")
    text = f'<p class="headline">{" ".join(sentences)}</p>' if sentences else ""
    return text + (f'<div class="tiles">{"".join(tiles)}</div>' if tiles else "")


def is_above_half(found):
    return found is not None and (found.low if found.has_interval else found.value) > 0.5


def head_to_head(run):
    """[((first, second), Rate)]"""
    pairs = []
    for key, row in section(run.results, "head_to_head").items():
        first, _, second = key.partition("_vs_")
        found = rate(row, "win_rate") if isinstance(row, dict) else None
        if found is not None:
            pairs.append(((first, second), found))
    return pairs


def win_rates(run, colours):
    arms = section(run.results, "arms")
    rows = []
    for name in run.arms:
        if (found := rate(arms[name], "win_rate_vs_sft")) is not None:
            rows.append((f"{name} against SFT", colours.of(name), found, False))
    for (first, second), found in head_to_head(run):
        rows.append((f"{first} against {second}", colours.of(first), found, False))
    check = rate(section(run.results, "sft_against_itself"), "win_rate")
    if check is not None:
        rows.append(("SFT against itself", colours.of("sft"), check, True))
    if not rows:
        return ""
    note = (f"How often the {measure(run)} prefers the first one's answer to the same held-out prompt, ties counted half; "
            "bars are 95 % bootstrap intervals over prompts.")
    if check is not None:
        if not check.has_interval:
            outcome = ""
        elif check.low <= 0.5 <= check.high:
            outcome = " Here it does."
        else:
            outcome = ' <strong class="bad">Here it does not: mistrust the figures above.</strong>'
        note += f" SFT against a second draw of itself is a check: its interval should hold 50 %.{outcome}"
    return f"<h2>Who wins</h2><p>{note}</p>{charts.forest(rows)}"


def arms_table(run, colours):
    arms = section(run.results, "arms")
    if not arms:
        return ""
    by_rules = run.results.get("yardstick") == "rules"
    shares = [key for key in (("all_rules", "specific", "ended") if by_rules else
                              ("good", "helpful", "harmless", "honest", "clear", "ended"))
              if any(plain(row, key) is not None for row in arms.values() if isinstance(row, dict))]
    figures = [(title, key, form) for title, key, form in (
        ("score" if by_rules else "gold U", "utility", lambda v: f"{v:.3f}"), ("KL, nats", "kl", lambda v: f"{v:.2f}"),
        ("length", "length", lambda v: f"{v:.1f}"), ("labels", "labels", lambda v: f"{v:,.0f}"),
        ("cost", "cost_usd", dollars), ("time", "wall_seconds", duration))
        if any(plain(row, key) is not None for row in arms.values() if isinstance(row, dict))]
    rows = []
    for name, row in arms.items():
        if not isinstance(row, dict):
            continue
        cells = [f"<td>{colours.dot(name)}{escaped(name)}</td>", share_cell(rate(row, "win_rate_vs_sft"))]
        cells += [share_cell(rate(row, key)) for key in shares]
        cells += [figure_cell(plain(row, key), form) for _, key, form in figures]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    head = ["arm", "preferred to SFT", *(key.replace("_", " ") for key in shares), *(title for title, _, _ in figures)]
    if by_rules:
        return ("<h2>The arms</h2><p>Rates on held-out prompts: <em>all rules</em> are kept; <em>specific</em> answers fit their "
                "own question better than another one in the eyes of the untouched model; <em>ended</em> came to an end by "
                "itself. KL is from the untouched model, a response; length is in tokens.</p>" + table(head, rows)
                + rules_table(run, colours))
    return ("<h2>The arms</h2><p>Rates on held-out prompts, each over the prompt families it applies to: <em>helpful</em> "
            "gives the right answer, <em>harmless</em> avoids the harmful steps, <em>honest</em> states nothing false, "
            "<em>clear</em> has no padding, repetition or garbage; <em>good</em> is right and clear; <em>ended</em> came to "
            "an end by itself. KL is from the SFT model, a response; length is in tokens; cost is of the labels.</p>"
            + table(head, rows))


def rules_table(run, colours):
    """Rule by rule, and what the rules do not see."""
    arms = {name: row for name, row in section(run.results, "arms").items() if isinstance(row, dict)}
    rows = []
    for mark in run.results.get("marks") or []:
        cells = "".join(share_cell(rate(row, mark)) for row in arms.values())
        rows.append(f"<tr><td>{escaped(str(mark).replace('_', ' '))}</td>{cells}</tr>")
    if any(plain(row, "specificity") is not None for row in arms.values()):
        cells = "".join(figure_cell(plain(row, "specificity"), lambda value: f"{value:.2f} nats") for row in arms.values())
        rows.append(f"<tr><td>specificity</td>{cells}</tr>")
    heads = "".join(f"<th>{colours.dot(name)}{escaped(name)}</th>" for name in arms)
    note = ("A policy that learns from rules learns to please them. Specificity is what they do not see: by how many nats a "
            "token the untouched model finds an answer likelier after its own question than after another one. Where rates of rules "
            "rise while it falls, answers have become general: the rules are being gamed.")
    return (f"<h3>Rule by rule</h3><p>{note}</p>"
            f'<div class="scroll"><table><thead><tr><th>rule</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>')


JUDGE_COLUMNS = (
    ("agrees with gold", "gold_agreement"), ("agrees with annotators", "annotator_agreement"),
    ("same position both times", "same_position_rate"), ("canaries right", "canary_right_share"))


def without_verdict(row):
    """Questions that the judge answered with no preference: refused, truncated, unparseable, ..."""
    return sum(number(count) or 0 for status, count in row["statuses"].items() if status != "ok")


def kept_sentence(name, judges, members):
    """What a combined judge keeps of its dearest member's agreement, at what share of its cost."""
    priced = [(plain(judges.get(member), "usd_per_1000") or 0, member) for member in members]
    cost, dearest = max(priced, default=(0, None))
    own, other = (plain(judges.get(judge), "gold_agreement") for judge in (name, dearest))
    if not cost or not own or not other:
        return ""
    share = (plain(judges[name], "usd_per_1000") or 0) / cost
    return (f"<p>{escaped(name)} comes to {own / other * 100:.1f} % of the agreement of {escaped(dearest)}, at {share * 100:.1f} % of "
            "its cost.</p>")


def asked_table(judges):
    """Who of a combined judge was asked, how often, and what each is worth and costs alone."""
    rows, sentences = [], []
    for name, row in judges.items():
        counts = [(member, number(count) or 0) for member, count in section(row, "asked").items()]
        if not counts:
            continue
        most = max(count for _, count in counts)
        sentences.append(kept_sentence(name, judges, [member for member, _ in counts]))
        for judge, count in [(name, most), *counts]:
            label = f"<strong>{escaped(name)}</strong>" if judge == name else f"· {escaped(judge)}"
            alone = judges.get(judge, {})
            share = f'<td class="share" style="--share:{count / most * 100:.1f}%">{count / most * 100:.1f} %</td>' if most else f"<td>{NO_FIGURE}</td>"
            rows.append(f"<tr><td>{label}</td><td>{count:,.0f}</td>{share}{share_cell(rate(alone, 'gold_agreement'))}"
                        f"{figure_cell(plain(alone, 'usd_per_1000'), dollars)}</tr>")
    if not rows:
        return ""
    return ("<h3>Who was asked</h3><p>Of judges made of judges: the comparisons that each member was asked about. Agreement and "
            "cost are those of a judge that is asked about all, where it was.</p>"
            + table(["judge", "comparisons", "share", "agrees with gold", "cost of 1,000"], rows) + "".join(sentences))


def quality_parts(run, judges):
    """The same tables as a calibration makes, on the study's held-out pairs."""
    reports = {name: row["heldout"] for name, row in judges.items() if isinstance(row.get("heldout"), dict)}
    if not reports:
        return ""
    cascades = {name: row["cascade"] for name, row in judges.items() if isinstance(row.get("cascade"), list)}
    agreements = {name: rate(row.get("heldout"), "agreement") for name, row in judges.items()}
    yardstick = "the rules" if run.results.get("yardstick") == "rules" else "gold"
    return (f"<h3>What their verdicts are worth</h3>{judge_parts.measures_table(reports, yardstick)}"
            + judge_parts.reliability_section(reports) + judge_parts.members_table(judges)
            + judge_parts.cascades_section(cascades, agreements, {}))


def judges_section(run):
    judges = {name: row for name, row in section(run.results, "judges").items() if isinstance(row, dict)}
    single = section(run.results, "judge")
    if not judges and single:
        judges = {"judge": single}
    parts = []
    if judges:
        shares = [(title, key) for title, key in JUDGE_COLUMNS
                  if any(plain(row, key) is not None for row in judges.values())]
        counts = [(title, key, form) for title, key, form in (
            ("labels", "labels", lambda v: f"{v:,.0f}"), ("cost", "cost_usd", dollars), ("cost of 1,000", "usd_per_1000", dollars),
            ("input tokens", "input_tokens", charts.short), ("output tokens", "output_tokens", charts.short))
            if any(plain(row, key) is not None for row in judges.values())]
        if any(isinstance(row.get("statuses"), dict) for row in judges.values()):
            counts.append(("no verdict", "no_verdict", lambda v: f"{v:,.0f}"))
            judges = {name: {**row, "no_verdict": without_verdict(row)} if isinstance(row.get("statuses"), dict) else row
                      for name, row in judges.items()}
        rows = []
        for name, row in judges.items():
            cells = [f"<td>{escaped(name)}</td>", *(share_cell(rate(row, key)) for _, key in shares),
                     *(figure_cell(plain(row, key), form) for _, key, form in counts)]
            rows.append(f"<tr>{''.join(cells)}</tr>")
        parts.append(table(["judge", *(title for title, _ in shares), *(title for title, _, _ in counts)], rows))
        if any(key == "same_position_rate" for _, key in shares):
            parts.append('<p class="note">“Same position both times”: how often the judge prefers the same position when '
                         "the two answers are swapped, which is bias rather than judgement; 0 is best.</p>")
        parts.append(asked_table(judges))
        parts.append(quality_parts(run, judges))
        parts.append(judge_parts.canaries_section(judges))
        parts.append(judge_parts.money_section(section(run.results, "costs")))
    rewards = {name: row for name, row in section(run.results, "reward_model").items() if isinstance(row, dict)}
    if rewards:
        rows = [f"<tr><td>{escaped(name)}</td>{share_cell(rate(row, 'gold_accuracy'))}"
                f"{share_cell(rate(row, 'label_accuracy'))}</tr>" for name, row in rewards.items()]
        parts.append("<h3>Reward models</h3><p>Accuracy on held-out pairs, against the gold order and against labels of the "
                     f"kind they were trained on.</p>{table(['arm', 'agrees with gold', 'agrees with its labels'], rows)}")
    return f"<h2>The judges and what was learned from them</h2>{''.join(parts)}" if parts else ""


def points(rows, key, x_key="step"):
    found = []
    for index, row in enumerate(rows):
        y, x = number(row.get(key)), number(row.get(x_key))
        if y is not None:
            found.append((index if x is None else x, y))
    return found


PPO_PANELS = (
    ("proxy reward", "reward", False, "the reward model's score"), ("gold utility", "gold", False, "never trained on"),
    ("KL from SFT", "kl", True, "nats a response"), ("entropy", "entropy", True, "nats a token"),
    ("response length", "length", True, "tokens"), ("share that ended", "ended", False, ""),
    ("clip fraction", "clip_fraction", True, ""), ("explained variance", "explained_variance", False, "of the value model"))


# Without a value model: the baseline is the prompt's other responses or the step's.
CRITIC_FREE_PANELS = (
    *PPO_PANELS[:7], ("absolute advantage", "absolute_advantage", True, "what is learned from; the mean is 0"),
    ("silent groups", "silent_groups", True, "prompts whose responses are all worth the same"),
    ("largest ratio", "ratio_most", False, "of new to old probabilities"),
    ("failed scores", "failed", True, "share of responses"))

DPO_PANELS = (
    ("loss", "loss", False, ""), ("margin", "margin", False, "beta times the difference of log-ratios, towards the preferred"),
    ("accuracy of the margin", "accuracy", False, "share of pairs"),
    ("accuracy of the policy", "policy_accuracy", False, "the preferred answer is the likelier one"),
    ("chosen log-probability", "chosen_log_prob", False, "nats an answer; both may fall while the margin grows"),
    ("rejected log-probability", "rejected_log_prob", False, "nats an answer"))

ONLINE_DPO_PANELS = (
    *DPO_PANELS,
    ("gold utility", "gold", False, "of the pairs as they are drawn"), ("KL", "kl", True, "nats a response, from the reference"),
    ("length", "length", False, "tokens"), ("pairs without a label", "failed", True, "share"))

FINETUNE_PANELS = (
    ("loss", "loss", False, "nats a token"),
    ("gradient norm", "gradient_norm", False, ""))

KTO_PANELS = (
    ("loss", "loss", False, ""), ("KL", "kl", True, "z0: what answers behind other prompts have become likelier by"),
    ("accuracy", "accuracy", False, "share of answers on their side of z0"),
    ("chosen log-probability", "chosen_log_prob", False, "nats an answer"),
    ("rejected log-probability", "rejected_log_prob", False, "nats an answer"))

# By first word of a stage's name, what its training is shown by: title, what to know first, panels.
TRAINING = {
    "ppo": ("Policy training", "Along PPO steps. The policy sees the proxy only: where the proxy goes on rising and "
            "the gold utility falls, it has learned to please the reward model and no longer to answer well.", PPO_PANELS),
    **{kind: (f"Training by {kind.upper()}", f"Along {kind.upper()} steps. The policy sees the proxy only, as with PPO; a response is "
              f"held against {against}, so that the loss says little and the advantage's size says what there is to learn.",
              CRITIC_FREE_PANELS)
       for kind, against in (("grpo", "the others to its prompt"), ("rloo", "the mean of the others to its prompt"),
                             ("reinforce", "the mean of its step or the greedy response"))},
    "dpo": ("Training on pairs", "Along DPO steps. The loss sees how much more the policy has come to prefer one answer than "
            "its start did, not whether it prefers it: that is the policy's own accuracy.", DPO_PANELS),
    "online_dpo": ("Training on pairs as they are drawn", "Along online DPO steps. The policy draws both answers of a pair itself, so that "
                   "they are drawn from what it has become; they are labelled as they are drawn.", ONLINE_DPO_PANELS),
    "finetune": ("Training on demonstrations", "Along the steps of supervised fine-tuning on a data set. The loss is of its "
                 "responses alone.", FINETUNE_PANELS),
    "kto": ("Training on answers", "Along KTO steps. Every answer is good or bad for itself and is held against how far the policy has "
            "moved from its start in general.", KTO_PANELS),
}


def training_section(run, colours, kind):
    title, about, shown = TRAINING[kind]
    by_arm = {stage.removeprefix(f"{kind}-"): rows for stage, rows in run.metrics.items()
              if stage.startswith(f"{kind}-") and rows}
    names = [name for name in run.arms if name in by_arm] + sorted(set(by_arm) - set(run.arms))
    if not names:
        return ""
    panels = [charts.line_panel(panel, [(name, colours.of(name), points(by_arm[name], key)) for name in names], zero, note)
              for panel, key, zero, note in shown]
    return (f"<h2>{title}</h2><p>{about}</p>" + charts.legend([(name, colours.of(name)) for name in names])
            + f'<div class="panels">{"".join(panels)}</div>')


def best_of_n_section(run, colours):
    """What the best of n responses of sft come to by each reward model, with the run's policies at their KL."""
    curves = run.results.get("best_of_n", {})
    if not curves:
        return ""
    panels = []
    for key, title, note in (("win_rate_vs_sft", "gold wins over sft", "share, over KL in nats a response: of the best of n, its bound"),
                             ("utility", "gold utility", "over the same"), ("length", "length", "tokens, over the same")):
        series = [(f"best of n by reward-{labels}", colours.of(f"reward-{labels}"), [(row["kl_bound"], row[key]) for row in curve.values() if key in row])
                  for labels, curve in curves.items()]
        series += [(name, colours.of(name), [(arm["kl"], arm[key])]) for name, arm in run.results["arms"].items() if key in arm and "kl" in arm]
        panels.append(charts.line_panel(title, series, False, note))
    names = [f"reward-{labels}" for labels in curves] + [name for name in run.results["arms"] if name != "sft"]
    return ("<h2>Best of n</h2><p>Of n responses of sft the one that a reward model likes best, without any training: what a policy trained "
            "against the same reward model can be held against at its KL. The points are the run's policies.</p>"
            + charts.legend([(name, colours.of(name)) for name in names]) + f'<div class="panels">{"".join(panels)}</div>')


def losses_section(run, colours):
    rewards = {stage.removeprefix("reward-"): rows for stage, rows in run.metrics.items()
               if stage.startswith("reward-") and rows}
    # A reward model is named by its judge; it takes the colour of the first arm that learns from it.
    arm_of = {}
    for arm, row in section(run.results, "arms").items():
        if isinstance(row, dict) and isinstance(row.get("judge"), str):
            arm_of.setdefault(row["judge"], arm)
    series = [(name, colours.of(arm_of.get(name, name)), rows) for name, rows in rewards.items()]
    single = [charts.line_panel(title, [(title, "var(--arm-0)", points(run.metrics.get(stage, []), "loss"))],
                                note="nats a token")
              for title, stage in (("SFT loss", "sft"), ("judge's loss", "judge-model"),
                                   *((f"loss of judge {stage.removeprefix('judge-model-')}", stage)
                                     for stage in run.metrics if stage.startswith("judge-model-")))]
    shared = [charts.line_panel(title, [(name, colour, points(rows, key)) for name, colour, rows in series])
              for title, key in (("reward-model loss", "loss"), ("reward-model accuracy", "accuracy"), ("margin", "margin"))]
    if not any(single + shared):
        return ""
    key = charts.legend([(f"reward model of {name}", colour) for name, colour, _ in series]) if any(shared) else ""
    return ('<h2>What came before</h2><p class="note">Along optimizer steps; the shaded band is the range of the steps '
            f'behind a point.</p>{key}<div class="panels">{"".join(single + shared)}</div>')


def stages_section(run):
    rows = [(str(stage.get("stage", "?")), number(stage.get("wall_seconds")), number(stage.get("peak_memory_bytes")))
            for stage in run.stages]
    timed = [(name, seconds, size) for name, seconds, size in rows if seconds is not None]
    total = sum(seconds for _, seconds, _ in timed)
    if not timed:
        return ""
    bars = [(name, seconds, f"{duration(seconds)}, {seconds / total * 100 if total else 0:.0f} %"
             + (f", {memory(size)}" if size else "")) for name, seconds, size in timed]
    ranks = number(run.results.get("ranks"))
    where = "" if ranks is None else f" on {ranks:.0f} rank{'s' * (ranks != 1)}"
    return (f"<h2>Where the time went</h2><p>{duration(total)} in all{where}. Beside each bar: time, its share, and peak "
            f"memory.</p>{charts.bars(bars)}")


# --- sample answers ------------------------------------------------------------------------------
def first_sample(row):
    samples = row.get("samples")
    return samples[0] if isinstance(samples, list) and samples and isinstance(samples[0], dict) else None


def mean_utility(row):
    values = [number(sample.get("utility")) for sample in row.get("samples") or [] if isinstance(sample, dict)]
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None


def prompt_text(prompt):
    """A prompt as one reads it: a text, or the turns of a conversation, each under its speaker."""
    if isinstance(prompt, list):
        return "\n\n".join(f"{str(turn.get('role', '')).capitalize()}: {turn.get('content', '')}" for turn in prompt if isinstance(turn, dict))
    return prompt if isinstance(prompt, str) else ""


def choose_prompts(by_name):
    """[(prompt id, why)]: the first prompt of each family, then the three on which the models differ most."""
    names = list(by_name)
    common = [key for key in by_name[names[0]] if all(key in by_name[name] for name in names)]
    chosen = {}
    families = set()
    for key in common:
        family = str(by_name[names[0]][key].get("family", ""))
        if family not in families and first_sample(by_name[names[0]][key]):
            families.add(family)
            chosen[key] = f"first of its family: {family}" if family else "the first prompt"
    spreads = []
    for order, key in enumerate(common):
        utilities = [mean_utility(by_name[name][key]) for name in names]
        if key not in chosen and None not in utilities:
            spreads.append((min(utilities) - max(utilities), order, key))
    for _, _, key in sorted(spreads)[:3]:
        chosen[key] = "where the models differ most"
    return list(chosen.items())


def answer_block(name, row, colours):
    sample = first_sample(row)
    if sample is None:
        return ""
    utility = number(sample.get("utility"))
    by_rules = "all_rules" in sample
    good = bool(sample.get("all_rules")) if by_rules else utility is not None and utility >= 0.8
    kind = "good" if good else "bad" if utility is not None and utility < 0 else ""
    score = "" if utility is None else f'<span class="{kind}">{utility:.0f}</span>' if by_rules else f'<span class="{kind}">U {utility:+.2f}</span>'
    ended = "" if sample.get("ended", True) else ' <span class="bad">(cut off)</span>'
    text = escaped(sample.get("response", "")) or '<span class="note">(empty)</span>'
    return (f'<div class="answer" style="--colour:{colours.of(name)}"><div class="who"><span>{escaped(name)}</span>{score}'
            f'</div><div class="text">{text}{ended}</div></div>')


def samples_section(run, colours):
    names = [name for name in ("sft", *run.arms) if run.evaluation.get(name)]
    if not names:
        return ""
    by_name = {name: {row.get("prompt_id"): row for row in run.evaluation[name]} for name in names}
    blocks = []
    for key, why in choose_prompts(by_name):
        prompt = prompt_text(by_name[names[0]][key].get("prompt", ""))
        answers = "".join(answer_block(name, by_name[name][key], colours) for name in names)
        blocks.append(f'<div class="sample"><div class="why">{escaped(why)}</div><div class="prompt">{escaped(prompt)}</div>'
                      f'<div class="answers">{answers}</div></div>')
    scale = "its score by the rules" if run.results.get("yardstick") == "rules" else "its gold utility U (1 is best)"
    scored = "" if run.results.get("yardstick") == "none" else f", with {scale}"
    return ("<h2>Answers side by side</h2><p>The first answer each model drew for the same held-out prompt"
            f"{scored}.</p>{''.join(blocks)}")


def appendix(run):
    settings = run.settings
    keys = {**section(settings, "deck"), **section(settings, "other_settings")}
    lines = [f"{key} = {value}" for key, value in keys.items()]
    deck = "\n".join(lines) or json.dumps(settings, indent=1)
    parts = [("The resolved deck", deck), ("All figures (results.json)", json.dumps(run.results, indent=1))]
    folded = "".join(f"<details><summary>{title}</summary><pre>{escaped(text)}</pre></details>" for title, text in parts)
    return f"<h2>Settings and figures</h2>{folded}"


def page(run):
    colours = Colours(run.arms)
    title = f"RLAIF study: {run.results.get('deck') or run.settings.get('name') or run.folder.name}"
    facts = [f"seed {run.results.get('seed', run.settings.get('seed'))}"]
    if (ranks := number(run.results.get("ranks"))) is not None:
        facts.append(f"{ranks:.0f} rank{'s' * (ranks != 1)}")
    if "version" in run.settings:
        facts.append(f"{run.settings.get('program', 'rlaif')} {run.settings['version']}")
    if "deck_hash" in run.settings:
        facts.append(f"deck {run.settings['deck_hash']}")
    sets = run.results.get("instruction_sets", [])
    if sets:
        facts.append(("instruction sets " if len(sets) > 1 else "") + "; ".join(sets))
    return document(title, ", ".join(facts), [
        below_agreement(run), headline(run, colours), win_rates(run, colours), verdict_section(run.results, colours.of), arms_table(run, colours), judges_section(run),
        *(training_section(run, colours, kind) for kind in TRAINING), best_of_n_section(run, colours), losses_section(run, colours), revisions_section(run), samples_section(run, colours), stages_section(run), appendix(run)])


def main():
    parser = argparse.ArgumentParser(description="Writes the report page of a run.")
    parser.add_argument("run", type=pathlib.Path, help="run directory")
    parser.add_argument("--output", type=pathlib.Path, help="file to write (default: RUN/report/report.html)")
    options = parser.parse_args()
    output = options.output or options.run / "report" / "report.html"
    try:
        text = page(load_run(options.run))
        write_page(output, text)
    except RunError as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report.py: {output} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"report: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
