#!/usr/bin/env python3
"""A Hugging Face folder whose network writes what it is told: chain_model.py FOLDER SPEC.json

The tokenizer has the 256 bytes and three special tokens: <|endoftext|> 256, <|im_start|> 257, <|im_end|> 258. The network (a
llama whose layer adds nothing) makes the next token a function of the last one. SPEC, all optional:
  next          {token: next token}, tokens as texts or ids; any other token leads to `otherwise`
  otherwise     default <|im_end|>
  strength      logit of the next token over all others, default 20; small values make draws differ
  rows          rows of the vocabulary, default 259; more are padding that no token names
  tied          leave the output matrix out and say that it is the embedding
  config, generation_config, tokenizer_config    objects; token ids may be texts
  chat_template default ChatML; null: none
"""
import json
import pathlib
import struct
import sys

import array

SPECIAL = {"<|endoftext|>": 256, "<|im_start|>": 257, "<|im_end|>": 258}
CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def byte_names():
    plain = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    others = [b for b in range(256) if b not in plain]
    return {**{b: chr(b) for b in plain}, **{b: chr(256 + i) for i, b in enumerate(others)}}


def token_id(value):
    if isinstance(value, list):
        return [token_id(one) for one in value]
    if not isinstance(value, str):
        return value
    return SPECIAL[value] if value in SPECIAL else value.encode()[0]


def with_ids(fields):
    return {key: token_id(value) if key.endswith("_token_id") else value for key, value in fields.items()}


def tokenizer():
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    added = [{"id": i, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for text, i in SPECIAL.items()]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level,
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "vocab": {name: b for b, name in byte_names().items()}, "merges": []}}


def weights(spec, rows, hidden):
    embedding, output = array.array("f", bytes(4 * rows * hidden)), array.array("f", bytes(4 * rows * hidden))
    strength = spec.get("strength", 20.0)
    # Each state of the chain is one direction; what no state names shares the last one. An RMS norm scales it by sqrt(hidden).
    states = {token_id(last): token_id(following) for last, following in spec.get("next", {}).items()}
    for direction, (last, following) in enumerate(states.items()):
        embedding[last * hidden + direction] = 1.0
        output[following * hidden + direction] = strength / hidden ** 0.5
    for token in range(rows):
        if token not in states:
            embedding[token * hidden + hidden - 1] = 1.0
    output[token_id(spec.get("otherwise", "<|im_end|>")) * hidden + hidden - 1] = strength / hidden ** 0.5
    zeros, ones = lambda *shape: (shape, None), ((hidden,), array.array("f", [1.0] * hidden))
    layer = "model.layers.0."
    tensors = {"model.embed_tokens.weight": ((rows, hidden), embedding), "model.norm.weight": ones,
               layer + "input_layernorm.weight": ones, layer + "post_attention_layernorm.weight": ones}
    for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj",
                 "mlp.up_proj", "mlp.down_proj"):
        tensors[layer + name + ".weight"] = zeros(hidden, hidden)
    if not spec.get("tied"):
        tensors["lm_head.weight"] = ((rows, hidden), output)
    return tensors


def write_safetensors(file, tensors):
    header, data = {}, b""
    for name, (shape, values) in tensors.items():
        size = 4
        for extent in shape:
            size *= extent
        raw = values.tobytes() if values is not None else bytes(size)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder, spec = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    folder.mkdir(parents=True, exist_ok=True)
    rows, hidden = spec.get("rows", 259), 32
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": rows, "hidden_size": hidden,
              "intermediate_size": hidden, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2,
              "max_position_embeddings": 256, "rms_norm_eps": 1e-6, "hidden_act": "silu",
              "tie_word_embeddings": bool(spec.get("tied", False)), **with_ids(spec.get("config", {}))}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
    for name in ("generation_config", "tokenizer_config"):
        if name in spec:
            (folder / f"{name}.json").write_text(json.dumps(with_ids(spec[name])))
    template = spec.get("chat_template", CHATML)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    write_safetensors(folder / "model.safetensors", weights(spec, rows, hidden))


main()
