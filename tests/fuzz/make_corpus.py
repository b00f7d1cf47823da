"""Writes tests/fuzz/corpus: small inputs by target that the fuzzer starts from, valid ones and nearly valid ones.

    python3 tests/fuzz/make_corpus.py [RLAIF]     RLAIF: the program, for a shard of HDF5 (left as it is without)
"""

import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

CORPUS = pathlib.Path(__file__).parent / "corpus"


def put(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, (bytes, str)):
        content = json.dumps(content, ensure_ascii=False)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def weights():
    two = {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
           "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}, "__metadata__": {"format": "pt"}}
    put("safetensors", "two", safetensors(two, bytes(range(32))))
    put("safetensors", "empty", safetensors({}))
    put("safetensors", "no_elements", safetensors({"w": {"dtype": "I64", "shape": [0, 7], "data_offsets": [0, 0]}}))
    huge = {"w": {"dtype": "F16", "shape": [4294967296, 4294967296], "data_offsets": [0, 8]}}
    put("safetensors", "product_overflows", safetensors(huge, bytes(8)))
    put("safetensors", "header_too_long", struct.pack("<Q", 2**63) + b"{}")


def configs():
    llama = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 64, "hidden_size": 32,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64,
             "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu", "rope_theta": 5000.0,
             "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": [2, 3], "pad_token_id": None}
    put("config", "llama", llama)
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 32}
    put("config", "yarn", {**llama, "rope_scaling": yarn})
    llama3 = {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
              "original_max_position_embeddings": 16}
    put("config", "llama3", {**llama, "rope_scaling": llama3, "head_dim": 8})
    put("config", "qwen2", {**llama, "model_type": "qwen2", "use_sliding_window": True, "sliding_window": 8,
                            "max_window_layers": 1, "architectures": ["Qwen2ForCausalLM"]})
    put("config", "gpt2", {"model_type": "gpt2", "vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4,
                           "n_positions": 64, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5})
    put("config", "gpt_neox", {"model_type": "gpt_neox", "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2,
                               "num_attention_heads": 4, "intermediate_size": 64, "max_position_embeddings": 64,
                               "rotary_pct": 0.25, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
                               "use_parallel_residual": True, "tie_word_embeddings": False})
    put("config", "huge", {**llama, "vocab_size": 2**62, "hidden_size": 2**62, "num_hidden_layers": 2**40})
    put("config", "deep", '{"model_type": "llama", "vocab_size": ' + "[" * 500)


def tokenizers():
    letters = [chr(c) for c in range(33, 127)] + ["Ġ", "Ċ"]
    vocab = {"<s>": 0, **{letter: i + 1 for i, letter in enumerate(letters)}, "th": 97, "Ġc": 98, "the": 99}
    document = {"version": "1.0", "truncation": None, "padding": None,
                "added_tokens": [{"id": 0, "content": "<s>", "special": True, "lstrip": False, "rstrip": False,
                                  "single_word": False, "normalized": False}],
                "normalizer": {"type": "NFC"},
                "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
                "post_processor": None, "decoder": {"type": "ByteLevel"},
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                          "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "vocab": vocab,
                          "merges": ["t h", "Ġ c", "th e"]}}
    put("tokenizer", "byte_level", json.dumps(document).encode() + b"\xffthe cat 42")
    split = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s+"},
         "behavior": "Isolated", "invert": False},
        {"type": "Digits", "individual_digits": True},
        {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}
    put("tokenizer", "split", json.dumps({**document, "pre_tokenizer": split}).encode() + b"\xffIt's 12345  \r\n cats")
    pieces = {"<unk>": 0, "<s>": 1, "▁": 2, "a": 3, "t": 4, "▁a": 5, **{f"<0x{i:02X}>": 6 + i for i in range(256)}}
    meta = {**document, "pre_tokenizer": None,
            "normalizer": {"type": "Sequence", "normalizers": [
                {"type": "Prepend", "prepend": "▁"},
                {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
            "decoder": {"type": "Sequence", "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
            "post_processor": {"type": "TemplateProcessing", "single": [
                {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
            "added_tokens": [{"id": 1, "content": "<s>", "special": True}],
            "model": {**document["model"], "vocab": pieces, "unk_token": "<unk>", "byte_fallback": True,
                      "fuse_unk": True, "merges": [["▁", "a"]]}}
    put("tokenizer", "metaspace", json.dumps(meta).encode() + "\u00ffa tätä".encode("latin-1"))
    slow = {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "(a+)+$|b"}, "behavior": "Isolated", "invert": False},
        {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}]}
    put("tokenizer", "backtracks", json.dumps({**document, "pre_tokenizer": slow}).encode() + b"\xff" + b"a" * 60 + b"c")


def chats():
    turn = "{% for message in messages %}"
    chatml = turn + "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}" \
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    put("chat_template", "chatml", chatml.encode() + b"\xffHello <|im_end|>")
    zephyr = turn + "{% if message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + eos_token }}{% endif %}" \
        "{{ '<|assistant|>' }}{% endfor %}"
    put("chat_template", "zephyr", zephyr.encode() + b"\xff<|user|> hi")
    llama3 = turn + "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content']|trim + '<|eot_id|>' }}{% endfor %}"
    put("chat_template", "llama3", llama3)
    llama2 = "{{ bos_token }}[INST] {% set system = messages[0].content %}{{ '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' }} [/INST]"
    put("chat_template", "llama2", llama2)
    put("chat_template", "statements", "{% macro f(a, b=[1]) -%}{{ a }}{{ caller() if caller }}{{ varargs }}{{ kwargs }}{%- endmacro %}{% call f(1, 2, 3, k=4) %}x{% endcall %}"
        "{% set ns = namespace(n=0, t='') %}{% for k, v in {'a': 1, 'b': [2]}.items() if v recursive %}{% set ns.n = ns.n + loop.index %}{{ loop.cycle(1, 2) }}{{ loop.last }}{% else %}y{% endfor %}"
        "{% filter upper %}{{ ns.n }}{% endfilter %}{% with x = 1 %}{{ x }}{% endwith %}{% raw %}{{ }}{% endraw %}{# note #}{% set z | trim %} q {% endset %}{{ strftime_now('%d %b %Y') }}")
    put("chat_template", "expressions", "{% for m in messages %}{% set c = m.content %}{{ c[1:-1:2] ~ c|upper|trim('X') ~ (c.split('</think>')|last) ~ c.replace('a', 'b', 2) ~ '%s %05.1f' % (c, 2.5) "
        "~ '{0:>5} {k!r}'.format(c, k=1) ~ [c, 1.5, none]|tojson(indent=2) ~ (messages|selectattr('role', 'in', ['user'])|map(attribute='content')|join(',')) ~ (c is string and 1 < 2 <= 3 or not c) "
        "~ (7 // 2 ** 3 % 5) ~ c.title().partition(' ')|list ~ [3, 1]|sort|batch(2)|list ~ {'a': c}|dictsort ~ c|indent(2, true)|e }}{{ raise_exception('no') if c == 'stop' }}{% endfor %}\xff".encode("latin-1") + b"Hello </think> a")
    put("chat_template", "config", {"chat_template": [{"name": "default", "template": chatml}], "eos_token": "<|im_end|>",
                                    "bos_token": {"content": "<s>"}})


def decks():
    put("deck", "small", "[study]\njudges = ai people\narms = rlaif\n[run]\nseed = 7\n# note\n[model]\nhidden_size = 48\n")
    put("deck", "judges", "[study]\njudges = all\nmembers = a b\narms =\n[judge.a]\nkind = local\n[judge.b]\nkind = openai\n"
        "model = m\n[judge.all]\nkind = cascade\nmembers = a b\nthresholds = 0.9\n")
    put("deck", "cycle", "[study]\njudges = x y\n[judge.x]\nkind = ensemble\nmembers = y y\n[judge.y]\nkind = ensemble\nmembers = x\n")
    put("deck", "numbers", "[ppo]\nsteps = -1\nclip = 1e999\n[run]\nseed = 99999999999999999999\ngrains=0x10\n")


def lines():
    put("json_lines", "prompts", '{"prompt": "one", "id": 1, "family": "f"}\n\n{"prompt": "two"}\r\n')
    verdict = {"pair_id": "1", "judge": "j", "style": "s", "order": "ab", "verdict": "a", "raw": "A", "finish": "stop"}
    put("json_lines", "verdicts", json.dumps(verdict) + "\n" + json.dumps({**verdict, "order": "ba", "verdict": None}) + "\n")
    put("json_lines", "trl", '{"prompt": "p", "chosen": "c", "rejected": "r"}\n{"prompt": "p", "chosen": "\\u00e9", "rejected": ""}\n')
    put("json_lines", "principles", '{"id": "a", "text": "Which is better?", "weight": 2, "level": 1}\n')
    put("json_lines", "canaries", '{"id": "x", "kind": "wrong_fact", "prompt": "What?", "good": "That.", "bad": "This."}\n')


def records():
    user, said, other = ({"role": role, "content": text} for role, text in (("user", "u"), ("assistant", "a"), ("assistant", "b")))
    system, parts = {"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "p"}]}
    spoken = "\n\nHuman: u\n\nAssistant: "
    forms = {"prompt": {"prompt": [system, user, said, parts]}, "completion": {"prompt": "p", "completion": " c"},
             "response": {"prompt": "p", "response": "r"}, "messages": {"messages": [user, said]},
             "rated": {"prompt": "p", "completion": [said], "label": True}, "preference": {"prompt": [user], "chosen": [said], "rejected": [other]},
             "implicit": {"chosen": "The sky is blue.", "rejected": "The sky is gr\u00fcn."},
             "implicit_turns": {"prompt": "u", "chosen": [user, said], "rejected": [user, other]},
             "transcripts": {"chosen": spoken + "a", "rejected": spoken + "b"},
             "pairs": {"id": "i", "prompt": "p", "response_a": "x", "response_b": "y", "label": "tie", "annotators": ["a", "b"], "messages": [user],
                       "irregular": False},
             "openai": {"input": {"messages": [user]}, "preferred_output": [said], "non_preferred_output": [other]}}
    for name, line in forms.items():
        text = json.dumps(line) + "\n"
        put("records", name, text + " " * (-2 * len(text) % 8) + text)
    put("records", "gzip", gzip.compress(json.dumps(forms["preference"]).encode(), mtime=0))
    put("records", "zstd", b"\x28\xb5\x2f\xfd\x24\x0e\x71\x00\x00{\"prompt\": \"\"}\x01\x02\x03\x04")


def files():
    put("json_files", "prices", {"prices": [{"name": "ai", "as_of": "2025-01-01", "source": "s", "per_label_usd": 0.06,
                                             "input_per_million_usd": 1, "output_per_million_usd": 2.5}]})
    put("json_files", "assumptions", {"assumptions": [{"name": "comparisons", "value": 100, "unit": "u",
                                                       "as_of": "2025-01-01", "source": "s"}]})
    put("json_files", "principles", {"name": "n", "principles": [{"id": "a", "text": "Which?", "weight": 1, "level": 2,
        "cases": [{"prompt": "p", "first": "f", "second": "s", "verdict": "first", "why": "w"}]}]})
    put("json_files", "rules", {"name": "r", "scale": 1, "rules": [
        {"rule": "max_words", "name": "brief", "weight": 1, "limit": 30}, {"rule": "complete", "name": "c", "weight": 2},
        {"rule": "no_repetition", "name": "n", "weight": 1, "n": 4}]})
    put("json_files", "fitted", {"judges": {"ai": {"pairs": 10, "agreement": 0.8, "temperature": 1.5, "weight": 1.0,
        "confusion": [[0.8, 0.2], [0.3, 0.7]], "length_slope": 0.1}}, "thresholds": {"c": [0.9]}})
    put("json_files", "deep", '{"prices": ' + "[" * 3000)


def replies():
    token = {"token": "A", "logprob": -0.2, "top_logprobs": [{"token": "A", "logprob": -0.2}, {"token": "B", "logprob": -1.7}]}
    openai = {"choices": [{"message": {"content": "A"}, "finish_reason": "stop", "logprobs": {"content": [token]}}],
              "usage": {"prompt_tokens": 10, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}}}
    put("reply", "openai", json.dumps(openai).encode() + b"\xff250\xff3")
    anthropic = {"content": [{"type": "text", "text": "Reason.\nVerdict: B"}], "stop_reason": "end_turn",
                 "usage": {"input_tokens": 5, "output_tokens": 9, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 1}}
    put("reply", "anthropic", json.dumps(anthropic).encode() + b"\xff\xffWed, 21 Oct 2037 07:28:00 GMT")
    put("reply", "failure", '{"error": {"message": "maximum context length \\u0000", "code": "insufficient_quota"}}')
    counts = {"input_tokens": 2**63 - 1, "output_tokens": 2**63 - 1, "cache_read_input_tokens": 2**63 - 1}
    put("reply", "counts_overflow", {"content": [], "usage": counts})
    details = {"prompt_tokens": 3, "prompt_tokens_details": None, "completion_tokens_details": [1]}
    put("reply", "error_inside", {"choices": None, "error": {"code": 429, "metadata": {"raw": '{"error": {"message": "prompt is too long"}}'}}})
    put("reply", "choice_of_error", {"choices": [{"finish_reason": "error", "error": {"code": "502"}, "message": None}]})
    put("reply", "thoughts", {"choices": [{"message": {"content": "<think>B</think>A"}, "logprobs": {"content": [{"token": "</think>"}, token]}}]})
    put("reply", "details_of_another_kind", {"choices": [], "usage": details})


def verdicts():
    for name, text in {"whole": "A", "cue": "Both are fine.\nFinal verdict: **B**", "json": '```json\n{"verdict": "A"}\n```',
                       "brackets": "I think [[B]]", "sentence": "Therefore, Output (a) is better.", "tie": "Verdict: tie",
                       "quoted": "> Verdict: A\nVerdict: B", "thought": "<think>B `</think>`</think>\n```\n[/THINK]\n```\nVerdict: m",
                       "marks": "< |im_end|><U+202E>\u200d\u202e[INST]"}.items():
        put("verdict", name, text.encode() + b"\xff A.B(")
    put("verdict", "braces", "{" * 3000 + "}")


def shards(program):
    put("shard", "manifest", {"format": "rlaif-preferences-manifest", "version": 1, "judge": "j", "records": 1,
                              "checksum_kind": "xxh3-64",
                              "shards": [{"file": "shard-000000.h5", "block": 0, "records": 1, "checksum": "0" * 16}]})
    put("answers", "torn", '{"checksum":"0000000000000000","request":"' + "0" * 32 + '","kind":"sent","usd":0.1}')
    zeros, ones = "0" * 32, "1" * 32
    put("answers", "paid", f'"request":"{zeros}","kind":"sent","usd":0.1}}\n"request":"{zeros}","kind":"answer","usd":0.02,'
        f'"body":"{{\\"a\\":1}}"}}\n"request":"{ones}","kind":"failed","usd":0}}\n')
    if program is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "in.jsonl"
        source.write_text('{"prompt": "p", "chosen": "yes", "rejected": "no"}\n{"prompt": "q", "chosen": "a", "rejected": ""}\n')
        store = pathlib.Path(folder) / "store"
        subprocess.run([program, "preferences", "import", source, store], check=True, capture_output=True)
        put("shard", "two_records", next(store.glob("shard-*.h5")).read_bytes())


def main():
    weights()
    configs()
    tokenizers()
    chats()
    decks()
    lines()
    records()
    files()
    replies()
    verdicts()
    shards(sys.argv[1] if len(sys.argv) > 1 else None)


main()
