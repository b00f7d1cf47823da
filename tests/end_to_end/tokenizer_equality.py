#!/usr/bin/env python3
"""Holds the tokenizer against the `tokenizers` package from PyPI, on real text, id by id.

    tokenizer_equality.py TEST_TEXT [--limit N] [--only WORD] [--tokenizer FILE ...]

TEST_TEXT is the test binary of the text module. Both libraries encode the same distinct strings (lines, sentences
and whole texts of the shared data, RLAIF_SHARED_DATA) with tokenizers that the package trained, and with some that
we trained, and with the given tokenizer.json files; ids with special tokens as text and as tokens, with what the
post-processor adds, and decoded texts, must be equal. Also our trainer must find the package's merges. Ends with 1 at
any difference, with 77 (skipped) where package or data are absent. Takes some minutes.
"""
import argparse
import gzip
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

try:
    import tokenizers
    from tokenizers import Tokenizer, normalizers
    from tokenizer_variants import SPECIAL, byte_level, save, train_byte_level, variants
except ImportError:
    print("SKIPPED: the Python package tokenizers is not installed")
    sys.exit(77)

TEXT_KEYS = ("prompt", "response_a", "response_b", "answer", "text", "instruction", "reference", "turns")


def texts_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def real_texts(data):
    """All texts of the pairs and prompts, and the plain text by paragraphs; hhh is left for evaluation."""
    files = sorted((data / "pairs").glob("*.jsonl")) + sorted((data / "prompts").glob("*.jsonl*"))
    for file in files:
        if file.name == "hhh.jsonl":
            continue
        with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                for key in TEXT_KEYS:
                    yield from texts_in(record.get(key))
    for file in sorted((data / "text").glob("*.txt")):
        yield from file.read_text(encoding="utf-8").split("\n\n")


def distinct_strings(texts, limit):
    """Whole texts, their lines and their sentences, each once, spread over all sources."""
    seen = {}
    for text in texts:
        seen.setdefault(text)
        for line in text.split("\n"):
            seen.setdefault(line)
            for sentence in re.split(r"(?<=[.!?])(?= )", line):
                seen.setdefault(sentence)
    strings = list(seen)
    return [strings[i * len(strings) // limit] for i in range(limit)] if len(strings) > limit else strings


def is_newer(character, reference=(normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase())):
    forms = (unicodedata.normalize("NFKD", character),
             "" if unicodedata.category(character).startswith("M") else character, character.lower())
    return any(step.normalize_str(character) != form for step, form in zip(reference, forms))


def hard_strings():
    """What real text seldom holds: every sort of space, digits of all scripts, special tokens in the text."""
    yield from ["", " ", "  ", "\n", " \n ", "\t\tx", "a  b   c\n\n\n d ", "it's they'RE I'll we'd'm 'S 'ſ", "\u00a0a\u3000b\u2028c\u0085d",
                "x\u180ey", "12345 ½ ²³ Ⅷ 一二 ٣٤", "e\u0301 नमस्ते ไทย 👩‍👩‍👧 🇩🇪", "\x00\x01\x7f\u0080\ufeff\ufffd\U0010ffff",
                "a" * 5000, " " * 5000, "ab" * 3000 + "1" * 999, "<|endoftext|>", "x<|im_start|>user\nhi<|im_end|>\n",
                "a <mask>  b", "<mask>", "  <mask>", "a<lone>b <lone> c<lone>", "<lone>é", "\u00a0<mask>\u3000\n<mask>x",
                "<tool><tool>call", "<tool>call</tool>", "<|im_start|><|im_start|>assistant", "<|im_start|", "<mask> <lone> <mask>",
                "</s><s> a</s> b<s>", " <s>x", "▁x ▁ y▁", "x<Norm>y <norm> Ｗide Token Wide Tokenwide token", "``a'' ``",
                "<0x41><0x0A>", "İstanbul ΌΣΟΣ", "ﬁ ㎏ ＡＢＣ ½ e\u0301\u0327 \u1100\u1161\u11a8", "é" * 40 + "中文字" * 30, "😀😀x😀"]
    # Each character alone between letters. Libraries differ in their Unicode version (the reference normalizes by one of
    # 2016): characters that are unassigned here or that the reference normalizes otherwise than Python are left out.
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    characters = [c for c in characters if not is_newer(c)]
    for i in range(0, len(characters), 64):
        yield "".join("a" + c + "b " + c for c in characters[i : i + 64])


def run_test(binary, folder, test):
    environment = dict(os.environ, RLAIF_EQUALITY_DIR=str(folder))
    done = subprocess.run([binary, "--gtest_filter=TextEquality." + test], env=environment, capture_output=True, text=True)
    if done.returncode != 0 or "[  PASSED  ] 1 test" not in done.stdout:
        sys.exit(f"{binary} failed on {test}:\n{done.stdout}{done.stderr}")


def expected_rows(tokenizer, strings):
    tokenizer.encode_special_tokens = True
    as_text = [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)]
    tokenizer.encode_special_tokens = False
    as_tokens = [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=False)]
    framed = [e.ids for e in tokenizer.encode_batch(strings, add_special_tokens=True)]
    for plain, special, whole in zip(as_text, as_tokens, framed):
        yield {"as_text": plain, "as_tokens": special, "framed": whole, "decoded": tokenizer.decode(special, skip_special_tokens=True),
               "decoded_half": tokenizer.decode(plain[: len(plain) // 2], skip_special_tokens=True)}


def compare(binary, folder, label, strings):
    """folder/tokenizer.json is there: encodes by both; returns the number of differing values."""
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    with open(folder / "strings.jsonl", "w", encoding="utf-8") as out:
        out.writelines(json.dumps({"text": s}, ensure_ascii=False) + "\n" for s in strings)
    run_test(binary, folder, "encodes_the_strings_of_the_reference")
    with open(folder / "encoded.jsonl", encoding="utf-8") as lines:
        ours = [json.loads(line) for line in lines]
    if len(ours) != len(strings):
        sys.exit(f"{label}: {len(ours)} answers for {len(strings)} strings")
    values = differences = tokens = 0
    for text, got, want in zip(strings, ours, expected_rows(reference, strings)):
        tokens += len(want["as_text"])
        for key, value in want.items():
            values += 1
            if got[key] != value:
                differences += 1
                if differences <= 5:
                    print(f"  DIFFERENT {key} of {text[:80]!r}:\n    ours      {got[key]!r:.200}\n    reference {value!r:.200}")
    print(f"{label}: {len(strings)} strings, {tokens} tokens, {values} values compared, {differences} differ", flush=True)
    return differences


def compare_training(binary, folder, texts, add_prefix_space, vocab_size):
    """Our trainer against the package's: same vocabulary, same merges."""
    (folder / "train.json").write_text(json.dumps({"texts": texts, "vocab_size": vocab_size, "min_frequency": 2,
                                                   "special_tokens": SPECIAL, "add_prefix_space": add_prefix_space}))
    run_test(binary, folder, "trains_on_the_texts_of_the_reference")
    ours = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    reference = json.loads(train_byte_level(texts, byte_level(add_prefix_space), vocab_size=vocab_size).to_str())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in reference["merges"]]
    same = ours["vocab"] == reference["vocab"] and ours["merges"] == merges
    print(f"our trainer, prefix space {add_prefix_space}, vocabulary {vocab_size}: {len(ours['vocab'])} tokens, "
          f"{len(ours['merges'])} merges, {'equal to' if same else 'DIFFERENT from'} the reference trainer's", flush=True)
    return 0 if same else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="test binary of the text module")
    parser.add_argument("--limit", type=int, default=20000, help="real strings per tokenizer, about")
    parser.add_argument("--only", default="", help="tokenizers whose description holds this word")
    parser.add_argument("--tokenizer", action="append", default=[], type=pathlib.Path, help="a tokenizer.json to compare as well")
    options = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parents[2]
    data = pathlib.Path(os.environ.get("RLAIF_SHARED_DATA", root.parent / "shared")) / "data"
    if not data.is_dir():
        print(f"SKIPPED: no shared data at {data}")
        sys.exit(77)

    texts = list(real_texts(data))
    real = distinct_strings(texts, options.limit)
    strings = list(dict.fromkeys(real + list(hard_strings())))
    print(f"tokenizers {tokenizers.__version__}: {len(real)} real strings, {len(strings) - len(real)} made ones")
    training_texts = texts[::5]
    differences = 0
    for file in options.tokenizer:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(file, pathlib.Path(folder) / "tokenizer.json")
            differences += compare(options.binary, pathlib.Path(folder), str(file), strings)
    for label, tokenizer, how in variants(training_texts):
        if options.only not in label:
            continue
        with tempfile.TemporaryDirectory() as folder:
            save(tokenizer, pathlib.Path(folder) / "tokenizer.json", **how)
            differences += compare(options.binary, pathlib.Path(folder), label, strings)
    for add_prefix_space, vocab_size in () if options.only else ((True, 1024), (False, 8000)):
        with tempfile.TemporaryDirectory() as folder:
            differences += compare_training(options.binary, pathlib.Path(folder), training_texts, add_prefix_space, vocab_size)
            differences += compare(options.binary, pathlib.Path(folder), "trained by us", strings)
    print("all equal" if differences == 0 else f"{differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
