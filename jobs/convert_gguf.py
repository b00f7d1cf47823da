#!/usr/bin/env python3
"""Writes a GGUF file of the Llama architecture as a Hugging Face model folder.

    convert_gguf.py FILE.gguf FOLDER [--dtype fp32|bf16]

Needs the packages gguf and numpy. FOLDER gets config.json, generation_config.json, tokenizer.json,
tokenizer_config.json (with the chat template) and, last, model.safetensors: where that is there, the folder is whole.
Quantized weights are written as the numbers they stand for. One tensor is in memory at a time. Covered: byte-level BPE
tokenizers of SmolLM, Llama 3 and GPT-2; anything else in the file is refused by its name. Exit code 2: bad input.
"""
import argparse
import json
import os
import pathlib
import sys

try:
    import gguf
    import numpy
except ImportError as missing:
    sys.exit(f"convert_gguf: {missing}; expected the packages gguf and numpy (pip install gguf)")

LLAMA3_PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                  r"|\s*[\r\n]+|\s+(?!\S)|\s+")
PROJECTIONS = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
               "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
               "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
CONTROL, USER_DEFINED = 3, 4  # tokenizer.ggml.token_type


class BadInput(Exception):
    pass


class Metadata:
    """The file's keys; a missing one is an error that names it."""

    def __init__(self, reader):
        self.fields = reader.fields

    def get(self, key, default=None):
        return self.fields[key].contents() if key in self.fields else default

    def need(self, key):
        if key not in self.fields:
            raise BadInput(f"the key '{key}' is missing; expected a whole GGUF file of a Llama model")
        return self.get(key)


def open_gguf(file):
    with open(file, "rb") as stream:
        if stream.read(4) != b"GGUF":
            raise BadInput("it does not start with 'GGUF'; expected a GGUF file")
    try:
        return gguf.GGUFReader(file)
    except (ValueError, IndexError, KeyError, OverflowError, UnicodeDecodeError) as failure:
        raise BadInput("it ends too early or holds what no GGUF file holds; expected a whole one") from failure


def short(value):
    """A single-precision number in its shortest decimal form: 1e-05, not 9.999999747378752e-06."""
    return float(str(numpy.float32(value)))


def model_config(data, tied):
    heads = data.need("llama.attention.head_count")
    hidden = data.need("llama.embedding_length")
    head_dim = data.get("llama.attention.key_length", hidden // heads)
    if data.get("llama.rope.dimension_count", head_dim) != head_dim:
        raise BadInput(f"'llama.rope.dimension_count' differs from the head's {head_dim}; expected rotation of whole heads")
    if data.get("llama.rope.scaling.type", "none") != "none":
        raise BadInput("'llama.rope.scaling.type' is set; expected a model without rope scaling")
    ids = token_ids(data)
    return {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "mlp_bias": False,
        "attention_dropout": 0.0, "hidden_act": "silu", "initializer_range": short(hidden ** -0.5),
        "hidden_size": hidden, "intermediate_size": data.need("llama.feed_forward_length"),
        "num_hidden_layers": data.need("llama.block_count"), "num_attention_heads": heads,
        "num_key_value_heads": data.get("llama.attention.head_count_kv", heads), "head_dim": head_dim,
        "max_position_embeddings": data.need("llama.context_length"),
        "rms_norm_eps": short(data.need("llama.attention.layer_norm_rms_epsilon")),
        "rope_theta": short(data.get("llama.rope.freq_base", 10000.0)), "tie_word_embeddings": tied,
        "vocab_size": len(data.need("tokenizer.ggml.tokens")), "use_cache": True, **ids}


def token_ids(data):
    """bos, eos and pad, as configurations name them; absent ones are left out."""
    ids = {name + "_token_id": data.get(f"tokenizer.ggml.{key}_token_id")
           for name, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}
    return {key: int(value) for key, value in ids.items() if value is not None}


def pre_tokenizer(name):
    def byte_level(use_regex):
        return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}

    def sequence(first, use_regex):
        return {"type": "Sequence", "pretokenizers": [first, byte_level(use_regex)]}

    if name == "smollm":
        return sequence({"type": "Digits", "individual_digits": True}, True)
    if name in ("llama-bpe", "llama3", "llama-v3"):
        split = {"type": "Split", "pattern": {"Regex": LLAMA3_PATTERN}, "behavior": "Isolated", "invert": False}
        return sequence(split, False)
    if name == "gpt-2":
        return byte_level(True)
    raise BadInput(f"the pre-tokenizer '{name}' (tokenizer.ggml.pre) is not covered; expected smollm, llama-bpe or gpt-2")


def tokenizer_files(data):
    """tokenizer.json and tokenizer_config.json."""
    kind = data.need("tokenizer.ggml.model")
    if kind != "gpt2":
        raise BadInput(f"the tokenizer '{kind}' (tokenizer.ggml.model) is not covered; expected gpt2 (byte-level BPE)")
    pre = data.need("tokenizer.ggml.pre")
    tokens, types = data.need("tokenizer.ggml.tokens"), data.need("tokenizer.ggml.token_type")
    if len(types) != len(tokens) or len(set(tokens)) != len(tokens):
        raise BadInput(f"{len(tokens)} tokens, {len(set(tokens))} distinct, {len(types)} types; expected one type for each, no token twice")
    added = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": kind == CONTROL}
             for i, (token, kind) in enumerate(zip(tokens, types)) if kind in (CONTROL, USER_DEFINED)]
    steps = pre_tokenizer(pre)
    document = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": steps, "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": pre.startswith("llama"), "vocab": {token: i for i, token in enumerate(tokens)},
                  "merges": data.need("tokenizer.ggml.merges")}}
    ids = token_ids(data)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
              "model_max_length": data.need("llama.context_length"), "add_prefix_space": False}
    config.update({key.removesuffix("_id"): tokens[id] for key, id in ids.items()})
    if data.get("tokenizer.ggml.add_bos_token", False):
        bos = config["bos_token"]
        single = [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
        document["post_processor"] = {
            "type": "TemplateProcessing", "single": single, "pair": single + [{"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {bos: {"id": bos, "ids": [ids["bos_token_id"]], "tokens": [bos]}}}
    if template := data.get("tokenizer.chat_template"):
        config["chat_template"] = template
    return document, config


def folder_name(tensor):
    """Name of a tensor in the folder: model.layers.3.mlp.up_proj.weight."""
    outer = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
             "output.weight": "lm_head.weight"}
    if tensor in outer:
        return outer[tensor]
    parts = tensor.split(".")
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in PROJECTIONS and parts[3] == "weight":
        return f"model.layers.{parts[1]}.{PROJECTIONS[parts[2]]}.weight"
    raise BadInput(f"the tensor '{tensor}' is not covered; expected the weights of a dense Llama model without biases")


def values(tensor, config):
    """A tensor's numbers, fp32. GGUF interleaves the two halves of each head's rotation in Q and K: undone here."""
    weights = gguf.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32, copy=False)
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    count = heads.get(tensor.name.split(".")[2] if tensor.name.startswith("blk.") else "")
    if count is None:
        return weights
    rows, columns = weights.shape
    return weights.reshape(count, rows // count // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def to_bf16(weights):
    """Rounded to the nearest, ties to even; the upper halves of the words."""
    bits = numpy.ascontiguousarray(weights).view(numpy.uint32)
    return ((bits + (0x7FFF + ((bits >> 16) & 1))) >> 16).astype(numpy.uint16)


def expected_shapes(config):
    hidden, inner, vocab = config["hidden_size"], config["intermediate_size"], config["vocab_size"]
    queries = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    layer = {"self_attn.q_proj": [queries, hidden], "self_attn.k_proj": [keys, hidden], "self_attn.v_proj": [keys, hidden],
             "self_attn.o_proj": [hidden, queries], "mlp.gate_proj": [inner, hidden], "mlp.up_proj": [inner, hidden],
             "mlp.down_proj": [hidden, inner], "input_layernorm": [hidden], "post_attention_layernorm": [hidden]}
    shapes = {"model.embed_tokens.weight": [vocab, hidden], "model.norm.weight": [hidden]}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = [vocab, hidden]
    for i in range(config["num_hidden_layers"]):
        shapes.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})
    return shapes


def write_weights(tensors, config, dtype, out):
    size, label = (4, "F32") if dtype == "fp32" else (2, "BF16")
    shapes = expected_shapes(config)
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, tensor in tensors.items():
        shape = [int(n) for n in reversed(tensor.shape)]
        if shape != shapes.get(name):
            raise BadInput(f"the tensor '{tensor.name}' has the shape {shape}; its keys give {shapes.get(name)}")
        begin, end = end, end + size * int(numpy.prod(shape))
        header[name] = {"dtype": label, "shape": shape, "data_offsets": [begin, end]}
    if missing := sorted(shapes.keys() - tensors.keys()):
        raise BadInput(f"{len(missing)} tensors are missing, the first '{missing[0]}'; expected all of the model")
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    out.write(len(text).to_bytes(8, "little") + text)
    for tensor in tensors.values():
        weights = values(tensor, config)
        out.write(numpy.ascontiguousarray(weights if dtype == "fp32" else to_bf16(weights)).data)


def write_whole(path, write):
    """Under a temporary name first: nobody sees half a file."""
    temporary = path.with_name(path.name + ".tmp")
    with open(temporary, "wb") as out:
        write(out)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, path)


def convert(file, folder, dtype):
    reader = open_gguf(file)
    data = Metadata(reader)
    architecture = data.need("general.architecture")
    if architecture != "llama":
        raise BadInput(f"the architecture '{architecture}' is not covered; expected llama")
    tensors = {folder_name(tensor.name): tensor for tensor in reader.tensors}
    config = model_config(data, tied="lm_head.weight" not in tensors)
    config["dtype"] = {"fp32": "float32", "bf16": "bfloat16"}[dtype]
    tokenizer, tokenizer_config = tokenizer_files(data)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("config.json", config), ("generation_config.json", token_ids(data)),
                          ("tokenizer.json", tokenizer), ("tokenizer_config.json", tokenizer_config)):
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        write_whole(folder / name, lambda out, text=text: out.write(text.encode()))
    write_whole(folder / "model.safetensors", lambda out: write_weights(tensors, config, dtype, out))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=pathlib.Path, metavar="FILE.gguf")
    parser.add_argument("folder", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--dtype", choices=("fp32", "bf16"), default="fp32", help="of the weights written (default: fp32)")
    options = parser.parse_args()
    try:
        convert(options.file, options.folder, options.dtype)
    except (BadInput, OSError) as failure:
        print(f"convert_gguf: {options.file}: {failure}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
