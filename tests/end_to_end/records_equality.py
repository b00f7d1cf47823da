"""What `rlaif convert` reads and writes in every form, against TRL's own functions and datasets' own reader.

    records_equality.py RLAIF FOLDER     prints a table of form, direction and whether it is equal, then PASS or FAIL lines
"""

import json
import pathlib
import re
import subprocess
import sys

import datasets
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from trl.data_utils import is_conversational, maybe_apply_chat_template, maybe_extract_prompt, unpair_preference_dataset

RLAIF, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}"
          "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def turn(role, content):
    return {"role": role, "content": content}


TEXTS = [("The sky is", " blue.", " green."), ("Où est-il né ?", " À Orléans.", "\n\nÉvreux…"), ("Say \"yes\"\tor\n\nno:", " no  ", " yes"),
         ("二足す三は", "五です", "六です"), ("a  b", " c", " d"), ("Wink: ", "😉 ok", "🙂 ok")]
TALKS = [([turn("user", "What color is the sky?")], "It is blue.", "It is green."),
         ([turn("system", "Be brief."), turn("user", "Hi"), turn("assistant", "Hello."), turn("user", "Où ?\n\nLà ?")], "Là.", "Ici.\n"),
         ([turn("user", "a"), turn("assistant", ""), turn("user", "b")], " yes ", "no")]
DIALOGUES = [talk for talk in TALKS if talk[0][0]["role"] != "system"]


def preferences(talks):
    return [{"prompt": prompt, "chosen": [turn("assistant", chosen)], "rejected": [turn("assistant", rejected)]}
            for prompt, chosen, rejected in talks]


def texts():
    return [{"prompt": prompt, "chosen": chosen, "rejected": rejected} for prompt, chosen, rejected in TEXTS]


def transcript(prompt, response):
    return "".join(f"\n\n{'Human' if one['role'] == 'user' else 'Assistant'}: {one['content']}" for one in [*prompt, turn("assistant", response)])


def turns_of(text):
    """An own reading of a transcript, by a regular expression."""
    parts = re.split(r"\n\n(Human|Assistant):", text)
    return [turn("user" if parts[i] == "Human" else "assistant", parts[i + 1].removeprefix(" ")) for i in range(1, len(parts), 2)]


def write(name, rows):
    path = FOLDER / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def load(path):
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(FOLDER / "cache"))


def convert(path, form):
    out = FOLDER / f"{path.name.split('.')[0]}-to-{form}.jsonl"
    run = subprocess.run([RLAIF, "convert", path, out, "--to", form], capture_output=True, text=True)
    if run.returncode:
        raise AssertionError(run.stderr.strip())
    return out


def bare(rows, columns):
    return [{column: row[column] for column in columns} for row in rows]


def sorted_rows(rows):
    return sorted(json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows)


def extracted(path):
    """TRL's reading of pairs, whatever their form."""
    return bare(load(path).map(maybe_extract_prompt), ("prompt", "chosen", "rejected"))


def flattened(row):
    """A form of OpenAI's or of transcripts as a preference, by hand: TRL does not know them."""
    if "input" in row:
        return {"prompt": row["input"]["messages"], "chosen": row["preferred_output"], "rejected": row["non_preferred_output"]}
    chosen, rejected = turns_of(row["chosen"]), turns_of(row["rejected"])
    assert chosen[:-1] == rejected[:-1]
    return {"prompt": chosen[:-1], "chosen": chosen[-1:], "rejected": rejected[-1:]}


def answered(row):
    return {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}


def cases():
    """(form, what somebody else has written of it, the form to read it by, what TRL makes of a file of it, columns)"""
    pair = ("prompt", "chosen", "rejected")
    one = ("prompt", "completion")
    for suffix, rows in (("", texts()), ("-conversational", preferences(TALKS))):
        joined = [{"chosen": row["prompt"] + row["chosen"], "rejected": row["prompt"] + row["rejected"]} for row in rows]
        answers = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in rows]
        yield "prompt-only" + suffix, bare(rows, ("prompt",)), "prompt-only" + suffix, lambda path: bare(load(path), ("prompt",))
        yield "prompt-completion" + suffix, answers, "prompt-completion" + suffix, lambda path: bare(load(path), one)
        yield "preference" + suffix, rows, "preference" + suffix, extracted
        yield "implicit-preference" + suffix, joined, "preference" + suffix, extracted
        rated = [{**answer, "label": label} for answer, label in zip(answers, [True, False] * len(answers))]
        yield "unpaired-preference" + suffix, rated, "unpaired-preference" + suffix, lambda path: bare(load(path), (*one, "label"))
    whole = [{"messages": prompt + [turn("assistant", chosen)]} for prompt, chosen, _ in TALKS]
    yield "messages", whole, "prompt-completion-conversational", lambda path: [answered(row) for row in load(path)]
    spoken = [{"chosen": transcript(prompt, chosen), "rejected": transcript(prompt, rejected)} for prompt, chosen, rejected in DIALOGUES]
    yield "transcripts", spoken, "preference-conversational", lambda path: [flattened(row) for row in load(path)]
    openai = [{"input": {"messages": row["prompt"]}, "preferred_output": row["chosen"], "non_preferred_output": row["rejected"]}
              for row in preferences(TALKS)]
    yield "openai-preference", openai, "preference-conversational", lambda path: [flattened(row) for row in load(path)]


def tokenizer():
    plain = Tokenizer(models.WordLevel({"<unk>": 0}, unk_token="<unk>"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="<unk>", chat_template=CHATML)


def templated(rows):
    words = tokenizer()
    return [maybe_apply_chat_template(row, words) for row in rows]


def check(results, form, direction, equal):
    try:
        why = equal()
    except Exception as failure:
        why = f"{type(failure).__name__}: {failure}"
    results.append((form, direction, why or "equal"))


def differ(ours, theirs):
    return "" if ours == theirs else f"DIFFERS: {ours!r:.300} is not {theirs!r:.300}"


def read_case(form, rows, target, theirs):
    path = write(f"their-{form}", rows)
    ours = [json.loads(line) for line in convert(path, target).read_text(encoding="utf-8").splitlines()]
    expected = theirs(path)
    if is_conversational(ours[0]) != is_conversational(expected[0]):
        return "DIFFERS: one is conversational"
    return differ(ours, expected) or differ(templated(ours), templated(expected))


def write_case(form, rows, target, theirs):
    source = write(f"source-{form}", rows)
    return differ(theirs(convert(convert(source, target), form)), theirs(source))


def repeated_prompt():
    """A prompt's text beside whole conversations, as UltraFeedback's binarized set has it."""
    rows = [{"prompt": row["prompt"][-1]["content"], "chosen": row["prompt"] + row["chosen"], "rejected": row["prompt"] + row["rejected"]}
            for row in preferences(TALKS)]
    path = write("repeated", rows)
    ours = [json.loads(line) for line in convert(path, "preference-conversational").read_text(encoding="utf-8").splitlines()]
    return differ(ours, extracted(path))


def unpaired(rows, form):
    path = write(f"pairs-of-{form}", rows)
    ours = bare(load(convert(path, form)), ("prompt", "completion", "label"))
    theirs = bare(unpair_preference_dataset(load(path)), ("prompt", "completion", "label"))
    return differ(sorted_rows(ours), sorted_rows(theirs))


def labelled(path):
    return [{"prompt": row["prompt"], "chosen": row["response_a" if row["label"] == "a" else "response_b"],
             "rejected": row["response_b" if row["label"] == "a" else "response_a"]} for row in load(path)]


def pairs_read():
    rows = [{"id": str(i), "prompt": prompt, "response_a": rejected if i % 2 else chosen, "response_b": chosen if i % 2 else rejected,
             "label": "b" if i % 2 else "a", "annotators": []} for i, (prompt, chosen, rejected) in enumerate(TEXTS)]
    path = write("their-pairs", rows)
    return differ(extracted(convert(path, "preference")), labelled(path))


def pairs_written():
    return differ(labelled(convert(write("source-pairs", texts()), "pairs")), texts())


def main():
    datasets.disable_progress_bars()
    results = []
    for case in cases():
        check(results, case[0], "read", lambda case=case: read_case(*case))
        check(results, case[0], "write", lambda case=case: write_case(*case))
    check(results, "pairs", "read", pairs_read)
    check(results, "pairs", "write", pairs_written)
    check(results, "preference with a repeated prompt", "read", repeated_prompt)
    check(results, "pairs as unpaired-preference", "write", lambda: unpaired(texts(), "unpaired-preference"))
    check(results, "pairs as unpaired-preference-conversational", "write",
          lambda: unpaired(preferences(TALKS), "unpaired-preference-conversational"))
    print(f"{'form':46} direction  equal")
    for form, direction, equal in results:
        print(f"{form:46} {direction:9}  {equal}")
    for form, direction, equal in results:
        name = f"{form}: what is {'read' if direction == 'read' else 'written'} is what TRL and datasets make of it"
        print(f"PASS {name}" if equal == "equal" else f"FAIL {name}: {equal}")


main()
