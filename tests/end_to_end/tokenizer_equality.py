#!/usr/bin/env python3
"""Holds the tokenizer against the `tokenizers` package from PyPI, on real text, id by id.

    tokenizer_equality.py TEST_TEXT [--limit N]

TEST_TEXT is the test binary of the text module. Both libraries encode the same distinct strings (lines, sentences
and whole texts of the shared data, RLAIF_SHARED_DATA) with tokenizers that the package trained, and with some that
we trained; ids with special tokens as text and as tokens, and decoded texts, must be equal. Also our trainer must
find the package's merges. Ends with 1 at any difference, with 77 (skipped) where package or data are absent.
Takes about a minute.
"""
import argparse
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unicodedata

try:
    import tokenizers
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
except ImportError:
    print("SKIPPED: the Python package tokenizers is not installed")
    sys.exit(77)

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
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
    return strings[:: max(1, len(strings) // limit)]


def hard_strings():
    """What real text seldom holds: every sort of space, digits of all scripts, special tokens in the text."""
    yield from ["", " ", "  ", "\n", " \n ", "\t\tx", "a  b   c\n\n\n d ", "it's they'RE I'll we'd'm 'S 'ſ", "\u00a0a\u3000b\u2028c\u0085d",
                "x\u180ey", "12345 ½ ²³ Ⅷ 一二 ٣٤", "e\u0301 नमस्ते ไทย 👩‍👩‍👧 🇩🇪", "\x00\x01\x7f\u0080\ufeff\ufffd\U0010ffff",
                "a" * 5000, " " * 5000, "ab" * 3000 + "1" * 999, "<|endoftext|>", "x<|im_start|>user\nhi<|im_end|>\n",
                "a <mask>  b", "<mask>", "  <mask>", "a<lone>b <lone> c<lone>", "<lone>é", "\u00a0<mask>\u3000\n<mask>x",
                "<tool><tool>call", "<tool>call</tool>", "<|im_start|><|im_start|>assistant", "<|im_start|", "<mask> <lone> <mask>"]
    # Each character alone between letters. Unassigned ones are left out: libraries differ in their Unicode version.
    characters = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    for i in range(0, len(characters), 64):
        yield "".join("a" + c + "b " + c for c in characters[i : i + 64])


def byte_level(add_prefix_space):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)


def added_variant_tokens():
    return [AddedToken("<mask>", lstrip=True, rstrip=True, special=True), AddedToken("<lone>", single_word=True, special=False),
            AddedToken("<tool>", special=False, normalized=False), AddedToken("<tool>call", special=False, normalized=False)]


def train_reference(texts, pre_tokenizer, add_tokens=False, vocab_size=4000, **model_options):
    tokenizer = Tokenizer(models.BPE(**model_options))
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=2, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    if add_tokens:
        tokenizer.add_tokens(added_variant_tokens())
    return tokenizer


def variants(texts):
    yield "ByteLevel", train_reference(texts, byte_level(False)), {}
    yield "ByteLevel with prefix space", train_reference(texts, byte_level(True)), {}
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(False)])
    yield "Digits + ByteLevel, added tokens", train_reference(texts, digits, add_tokens=True), {}
    runs = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), byte_level(True)])
    yield "Digits (runs) + ByteLevel with prefix space, added tokens", train_reference(texts, runs, add_tokens=True), {}
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"),
                                     pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    yield "Split (Llama 3) + ByteLevel, ignore_merges", train_reference(texts, split, ignore_merges=True), {}
    yield "ByteLevel, merges as strings", train_reference(texts[:3000], byte_level(False), vocab_size=1000), {"merges": "strings"}


def save(tokenizer, file, merges="pairs"):
    """The package's file; with the merges as "a b", the older form."""
    tokenizer.save(str(file))
    if merges == "strings":
        document = json.loads(file.read_text(encoding="utf-8"))
        document["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in document["model"]["merges"]]
        file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


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
    for plain, special in zip(as_text, as_tokens):
        yield {"as_text": plain, "as_tokens": special, "decoded": tokenizer.decode(special, skip_special_tokens=True),
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
    reference = json.loads(train_reference(texts, byte_level(add_prefix_space), vocab_size=vocab_size).to_str())["model"]
    merges = [m if isinstance(m, str) else " ".join(m) for m in reference["merges"]]
    same = ours["vocab"] == reference["vocab"] and ours["merges"] == merges
    print(f"our trainer, prefix space {add_prefix_space}, vocabulary {vocab_size}: {len(ours['vocab'])} tokens, "
          f"{len(ours['merges'])} merges, {'equal to' if same else 'DIFFERENT from'} the reference trainer's", flush=True)
    return 0 if same else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", help="test binary of the text module")
    parser.add_argument("--limit", type=int, default=11000, help="strings per tokenizer, about")
    options = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parents[2]
    data = pathlib.Path(os.environ.get("RLAIF_SHARED_DATA", root.parent / "shared" / "data"))
    if not data.is_dir():
        print(f"SKIPPED: no shared data at {data}")
        sys.exit(77)

    texts = list(real_texts(data))
    real = distinct_strings(texts, options.limit)
    strings = list(dict.fromkeys(real + list(hard_strings())))
    print(f"tokenizers {tokenizers.__version__}: {len(real)} real strings, {len(strings) - len(real)} made ones")
    training_texts = texts[::5]
    differences = 0
    for label, tokenizer, how in variants(training_texts):
        with tempfile.TemporaryDirectory() as folder:
            save(tokenizer, pathlib.Path(folder) / "tokenizer.json", **how)
            differences += compare(options.binary, pathlib.Path(folder), label, strings)
    for add_prefix_space, vocab_size in ((True, 1024), (False, 8000)):
        with tempfile.TemporaryDirectory() as folder:
            differences += compare_training(options.binary, pathlib.Path(folder), training_texts, add_prefix_space, vocab_size)
            differences += compare(options.binary, pathlib.Path(folder), "trained by us", strings)
    print("all equal" if differences == 0 else f"{differences} differences")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
