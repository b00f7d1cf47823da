"""The tokenizers that tokenizer_equality.py compares: trained by the `tokenizers` package on the given texts, in the
forms of the files that well-known models carry."""
import json

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = CONTRACTIONS + r"\p{N}{1,3}" + REST
QWEN2 = CONTRACTIONS + r"\p{N}" + REST


def byte_level(add_prefix_space):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)


def split_byte_level(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def begin_with(token, id):
    return processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1", special_tokens=[(token, id)])


def added_variant_tokens():
    return [AddedToken("<mask>", lstrip=True, rstrip=True, special=True), AddedToken("<lone>", single_word=True, special=False),
            AddedToken("<tool>", special=False, normalized=False), AddedToken("<tool>call", special=False, normalized=False),
            AddedToken("Ｗide Token", special=False, normalized=True), AddedToken("<Norm>", special=True, normalized=True)]


def train_byte_level(texts, pre_tokenizer, normalizer=None, add_tokens=False, vocab_size=4000, **model_options):
    tokenizer = Tokenizer(models.BPE(**model_options))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=2, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    if add_tokens:
        tokenizer.add_tokens(added_variant_tokens())
    return tokenizer


def byte_level_variants(texts):
    few = texts[::4]
    yield "GPT-2: ByteLevel", train_byte_level(texts, byte_level(False)), {}
    yield "ByteLevel with prefix space", train_byte_level(texts, byte_level(True)), {}
    digits = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(False)])
    yield "SmolLM: Digits + ByteLevel, added tokens", train_byte_level(texts, digits, add_tokens=True), {}
    runs = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), byte_level(True)])
    yield "Digits (runs) + ByteLevel with prefix space, added tokens", train_byte_level(few, runs, add_tokens=True), {}
    llama3 = train_byte_level(texts, split_byte_level(LLAMA3), ignore_merges=True)
    llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), begin_with("<|im_start|>", 1)])
    yield "Llama 3: Split + ByteLevel, ignore_merges, begin token", llama3, {}
    qwen2 = train_byte_level(texts, split_byte_level(QWEN2), normalizer=normalizers.NFC(), add_tokens=True)
    yield "Qwen2: NFC, Split + ByteLevel, added tokens", qwen2, {}
    yield "ByteLevel, merges as strings", train_byte_level(few, byte_level(False), vocab_size=1000), {"merges": "strings"}
    nfkc = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"[\t ]{2,}"), " "), normalizers.Replace("``", '"')])
    yield "NFKC, Replace, ByteLevel, added tokens", train_byte_level(few, byte_level(False), normalizer=nfkc, add_tokens=True), {}
    plain = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase()])
    yield "NFD, StripAccents, Lowercase, ByteLevel", train_byte_level(few, byte_level(False), normalizer=plain, add_tokens=True), {}


def with_bytes(trained, texts_of_bytes=True):
    """A model's dictionary in Llama-2's order: <unk>, <s>, </s>, the bytes, then characters and merges."""
    model = json.loads(trained.to_str())["model"]
    first = ["<unk>", "<s>", "</s>"] + ([f"<0x{byte:02X}>" for byte in range(256)] if texts_of_bytes else [])
    learnt = [token for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1]) if token not in first]
    spaces = [["▁" * 2 ** i, "▁" * 2 ** i] for i in range(4)]
    merges = [pair if isinstance(pair, list) else pair.split(" ") for pair in model["merges"]] + spaces
    learnt += [left + right for left, right in spaces if left + right not in learnt]
    return {token: i for i, token in enumerate(first + learnt)}, [tuple(pair) for pair in merges]


def train_spaced(texts, byte_fallback=True, fuse_unk=True, vocab_size=4000):
    """A BPE over characters in which ▁ stands for the space; rare characters have no token of their own."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=2, special_tokens=["<unk>", "<s>", "</s>"],
                                  show_progress=False, limit_alphabet=150)
    tokenizer.train_from_iterator(texts, trainer)
    vocab, merges = with_bytes(tokenizer, byte_fallback)
    spaced = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=fuse_unk, byte_fallback=byte_fallback))
    spaced.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in ("<unk>", "<s>", "</s>")])
    return spaced


def spaced_variants(texts):
    texts = texts[::4]

    def make(normalizer=None, pre_tokenizer=None, decoder=None, add_tokens=True, **options):
        tokenizer = train_spaced(texts, **options)
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        if pre_tokenizer is not None:
            tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = decoder or llama_decoder(strip=True)
        tokenizer.post_processor = begin_with("<s>", 1)
        if add_tokens:
            tokenizer.add_tokens(added_variant_tokens())
        return tokenizer

    def llama_decoder(strip):
        steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
        return decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strip else []))

    def metaspace(scheme, split):
        return pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=split)

    legacy = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    yield "Llama 2: Prepend + Replace, byte_fallback", make(normalizer=legacy, add_tokens=False), {}
    yield "Mistral: the same, added tokens, merges as strings", make(normalizer=legacy), {"merges": "strings"}
    yield "Llama 2, new: Metaspace first, unsplit, byte_fallback", make(pre_tokenizer=metaspace("first", False)), {}
    fallback = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace("▁", "always")])
    yield "Metaspace always, split, byte_fallback", make(pre_tokenizer=metaspace("always", True), decoder=fallback), {}
    yield "Metaspace never, split, byte_fallback", make(pre_tokenizer=metaspace("never", True), decoder=llama_decoder(False)), {}
    for fuse in (True, False):
        yield f"NFKC, Metaspace, unknown token, fuse_unk {fuse}", make(
            normalizer=normalizers.NFKC(), pre_tokenizer=metaspace("always", True), byte_fallback=False, fuse_unk=fuse,
            decoder=decoders.Metaspace("▁", "always")), {}
    old = make(pre_tokenizer=metaspace("always", True), decoder=decoders.Metaspace("▁", "always"))
    yield "Metaspace in its form of 2023", old, {"metaspace": "2023"}


def variants(texts):
    yield from byte_level_variants(texts)
    yield from spaced_variants(texts)


def save(tokenizer, file, merges="pairs", metaspace="new"):
    """The package's file; with the merges as "a b", or Metaspace without its newer keys: older forms."""
    tokenizer.save(str(file))
    document = json.loads(file.read_text(encoding="utf-8"))
    if merges == "strings":
        document["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in document["model"]["merges"]]
    if metaspace == "2023":
        for key in ("pre_tokenizer", "decoder"):
            document[key] = {"type": "Metaspace", "replacement": "▁", "add_prefix_space": True}
    file.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
