"""What a constitution did: how often each principle was drawn and changed a response, and one chain step by step. For the report
of a study."""

from charts import escaped
from page import figure_cell, row, share_cell, table
from run_data import Rate, number, plain_chains, section

SHOWN = 60  # of the principles


def count(value):
    return f"{value:,.0f}"


def share(part, whole):
    return Rate(part / whole) if whole else None


def outcomes_table(steps):
    """A row a step: how many responses it changed, left alone, or could not revise and why."""
    names = []
    for step in steps:
        names += [name for name in step if name not in names and name not in ("changed", "unchanged")]
    rows = [row(f"step {place}", [figure_cell(number(step.get(name)) or 0, count) for name in ("changed", "unchanged", *sorted(names))])
            for place, step in enumerate(steps, 1)]
    return table(["", "changed", "unchanged", *(name.replace("_", " ") for name in sorted(names))], rows)


def principles_table(principles):
    rows = []
    for name, found in sorted(principles.items(), key=lambda item: -(number(item[1].get("drawn")) or 0))[:SHOWN]:
        drawn, changed = number(found.get("drawn")) or 0, number(found.get("changed")) or 0
        rows.append(row(name, [figure_cell(drawn, count), figure_cell(changed, count), share_cell(share(changed, drawn))]))
    return table(["principle", "drawn", "changed the response", "share"], rows)


def telling(chain):
    """Chains with more steps that changed the response come first."""
    return sum(step.get("outcome") == "changed" for step in chain.get("steps", []))


def said(who, text, kind=""):
    shown = escaped(text) or '<span class="note">(empty)</span>'
    return (f'<div class="answer" style="--colour:var(--arm-sft)"><div class="who"><span>{escaped(who)}</span>'
            f'<span class="{kind}"></span></div><div class="text">{shown}</div></div>')


def chain_block(chain):
    prompt = chain.get("prompt", "")
    if isinstance(prompt, list):
        prompt = "\n".join(f"{turn.get('role')}: {turn.get('content')}" for turn in prompt if isinstance(turn, dict))
    answers = [said("answer", chain.get("answer", ""))]
    for place, step in enumerate(chain.get("steps", []), 1):
        if step.get("critique"):
            answers.append(said(f"step {place}, critique by {step.get('principle')}", step["critique"]))
        outcome = str(step.get("outcome", "")).replace("_", " ")
        answers.append(said(f"step {place}, revision: {outcome}", step.get("revision", "")))
    return f'<div class="sample"><div class="prompt">{escaped(str(prompt))}</div><div class="answers">{"".join(answers)}</div></div>'


def set_part(run, stage):
    facts, name = section(stage, "revisions"), str(stage.get("of", ""))
    steps = [step for step in facts.get("steps", []) if isinstance(step, dict)]
    writer = section(stage, "writer").get("name", "?")
    left = ", ".join(f"{count(number(value) or 0)} {escaped(why.replace('_', ' '))}" for why, value in section(stage, "left_out").items())
    text = (f"<h3>{escaped(name)}</h3><p>{count(number(facts.get('chains')) or 0)} answers, revised by writer {escaped(str(writer))}"
            f" ({count(number(facts.get('texts')) or 0)} texts asked for), and {count(number(facts.get('answers_only')) or 0)} answers as they are."
            f"{' Left out of what is learned: ' + left + '.' if left else ''}</p>")
    text += outcomes_table(steps) + principles_table(section(facts, "principles"))
    chains = plain_chains(run.folder, name)
    if chains:
        text += f"<h4>A chain, step by step</h4>{chain_block(max(chains, key=telling))}"
    return text


def revisions_section(run):
    parts = [set_part(run, stage) for stage in run.stages if section(stage, "revisions")]
    if not parts:
        return ""
    return ("<h2>The constitution at work</h2><p>Each step of a chain draws a principle, asks a writer for a critique of the response and for a "
            f"revision, which takes its place where it is one.</p>{''.join(parts)}")
