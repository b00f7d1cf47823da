#!/usr/bin/env python3
"""Decoding, prefill and verdicts of a real model: this program, transformers and llama.cpp, on one core each.

    bench_peers.py compare --engine build/release/bench/real_model_bench --model FOLDER
                           [--transformers PYTHON] [--llama PYTHON --gguf FILE] [--repeats 3] [--measures decode,...]
    bench_peers.py f32 IN.gguf OUT.gguf      a GGUF file with its quantized weights written out in float32

`compare` takes the engines in turn, repeat by repeat, so that a slow minute of the machine meets all of them, and prints
medians, spread and ratios. PYTHON is an interpreter whose environment has the peer: torch, transformers and numpy, or
llama-cpp-python; the program itself never needs them. Same weights, prompts, lengths and sampling (temperature 1, whole
vocabulary, no stop token, 64 new tokens); a rate counts the new tokens (or those read) over the time of the whole call,
prompts included. Exit code 2: something is missing or not what was expected.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from text_table import text_table

NEW_TOKENS = 64
MEASURES = ("decode/1", "decode/16", "decode/64", "prefill", "verdicts")
# What issue-sized runs are to reach, as ratios to transformers and to llama.cpp.
WANTED = {"decode/1": (1.3, 1.0), "decode/16": (2.0, 1.3), "decode/64": (2.0, 2.0), "prefill": (1.0, None)}


class BenchError(Exception):
    """Something is missing or not what was expected; the message names it."""


def prompt(number, length, vocabulary):
    """Tokens by the formula of tests/bench/real_model_bench.cpp."""
    return [5 + (7919 * number + 104729 * position + 31 * number * position) % (vocabulary - 5)
            for position in range(length)]


def prompts_of(measure, vocabulary):
    if measure == "prefill":
        return [prompt(number, 256, vocabulary) for number in range(64)]
    return [prompt(number, 24 + 5 * number % 13, vocabulary) for number in range(int(measure.split("/")[1]))]


# --- one engine, one repeat: {measure: rate} ----------------------------------------------------------

def run_engine(binary, model, measures):
    output = pathlib.Path(f"{os.environ.get('TMPDIR', '/tmp')}/bench_peers.{os.getpid()}.json")
    names = "|".join(f"^{name}/" if "/" not in name else f"^decode/engine/{name.split('/')[1]}/" for name in measures)
    command = [str(binary), f"--benchmark_filter={names}", f"--benchmark_out={output}", "--benchmark_out_format=json"]
    done = subprocess.run(command, env={**os.environ, "RLAIF_BENCH_MODEL": str(model)}, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{binary}: {(done.stderr or done.stdout).strip()[-400:]}")
    try:
        rows = json.loads(output.read_text())["benchmarks"]
    finally:
        output.unlink(missing_ok=True)
    rates = {}
    for row in rows:
        topic, variant, argument = row["name"].split("/")[:3]
        name = f"decode/{argument}" if topic == "decode" else topic
        rates[name if variant == "engine" else f"{name}, nothing shared"] = row.get("tokens/s") or row.get("verdicts/s")
    return rates


def run_peer(python, arguments):
    command = [python, os.path.abspath(__file__), *arguments]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{arguments[0]} by {python}: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout.splitlines()[-1])


def transformers_rates(model_folder, measures):
    try:
        import torch
        import transformers
    except ImportError as failure:
        raise BenchError(f"{failure}: install torch, transformers and numpy for this interpreter") from failure
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    vocabulary = model.config.vocab_size

    def decode(tokens):
        longest = max(map(len, tokens))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in tokens])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in tokens])
        out = model.generate(ids, attention_mask=mask, do_sample=True, temperature=1.0, top_k=0, top_p=1.0,
                             max_new_tokens=NEW_TOKENS, eos_token_id=None, pad_token_id=0)
        if out.shape[1] != longest + NEW_TOKENS:
            raise BenchError(f"generate made {out.shape[1] - longest} tokens; expected {NEW_TOKENS}")
        return len(tokens) * NEW_TOKENS

    def prefill(tokens):
        for begin in range(0, len(tokens), 4):  # 1,024 tokens at a time, as the engine takes them
            model(torch.tensor(tokens[begin:begin + 4]), use_cache=False, logits_to_keep=1)
        return sum(map(len, tokens))

    rates = {}
    with torch.inference_mode():
        model(torch.tensor([[1, 2, 3]]))
        for measure in measures:
            tokens = prompts_of(measure, vocabulary)
            begin = time.perf_counter()
            count = prefill(tokens) if measure == "prefill" else decode(tokens)
            rates[measure] = count / (time.perf_counter() - begin)
    return rates


class LlamaRun:
    """Batched decoding through llama.cpp's C API: one context, a sequence for every prompt, one thread."""

    MOST_ROWS = 1024

    def __init__(self, library, model, sequences, length, sampling):
        self.library, self.sequences = library, sequences
        parameters = library.llama_context_default_params()
        parameters.n_ctx = sequences * ((length + 255) // 256 * 256)
        parameters.n_batch = parameters.n_ubatch = self.MOST_ROWS
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = 1
        self.context = library.llama_init_from_model(model, parameters)
        if not self.context:
            raise BenchError("llama.cpp made no context")
        self.batch = library.llama_batch_init(self.MOST_ROWS, 0, 1)
        self.samplers = []
        for sequence in range(sequences if sampling else 0):
            chain = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
            library.llama_sampler_chain_add(chain, library.llama_sampler_init_temp(1.0))
            library.llama_sampler_chain_add(chain, library.llama_sampler_init_dist(sequence))
            self.samplers.append(chain)

    def pass_over(self, rows):
        """rows: (token, position, sequence, whether its logits are wanted)"""
        for index, (token, position, sequence, wanted) in enumerate(rows):
            self.batch.token[index], self.batch.pos[index] = token, position
            self.batch.n_seq_id[index], self.batch.seq_id[index][0] = 1, sequence
            self.batch.logits[index] = wanted
        self.batch.n_tokens = len(rows)
        if self.library.llama_decode(self.context, self.batch) != 0:
            raise BenchError("llama_decode failed")

    def drawn(self, rows):
        """[(sequence, token)] for the rows of the last pass that wanted logits."""
        return [(sequence, self.library.llama_sampler_sample(self.samplers[sequence], self.context, index))
                for index, (_, _, sequence, wanted) in enumerate(rows) if wanted]

    def read_prompts(self, tokens, sampling):
        rows = [(token, position, sequence, position + 1 == len(row))
                for sequence, row in enumerate(tokens) for position, token in enumerate(row)]
        first = []
        for begin in range(0, len(rows), self.MOST_ROWS):
            part = rows[begin:begin + self.MOST_ROWS]
            self.pass_over(part)
            first += self.drawn(part) if sampling else []
        return first

    def decode(self, tokens):
        last = self.read_prompts(tokens, True)
        for step in range(NEW_TOKENS - 1):
            rows = [(token, len(tokens[sequence]) + step, sequence, True) for sequence, token in last]
            self.pass_over(rows)
            last = self.drawn(rows)
        return len(tokens) * NEW_TOKENS

    def close(self):
        for chain in self.samplers:
            self.library.llama_sampler_free(chain)
        self.library.llama_batch_free(self.batch)
        self.library.llama_free(self.context)


def llama_rates(gguf_file, measures):
    try:
        import ctypes
        import llama_cpp
    except ImportError as failure:
        raise BenchError(f"{failure}: install llama-cpp-python for this interpreter") from failure
    quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(str(gguf_file).encode(), llama_cpp.llama_model_default_params())
    if not model:
        raise BenchError(f"{gguf_file}: llama.cpp cannot load it")
    vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))

    rates = {}
    for measure in measures:
        tokens = prompts_of(measure, vocabulary)
        sampling = measure != "prefill"
        run = LlamaRun(llama_cpp, model, len(tokens), max(map(len, tokens)) + NEW_TOKENS, sampling)
        run.pass_over([(1, 0, 0, True)])  # weights and buffers into memory
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(run.context), True)
        begin = time.perf_counter()
        if sampling:
            count = run.decode(tokens)
        else:
            run.read_prompts(tokens, False)
            llama_cpp.llama_synchronize(run.context)
            count = sum(map(len, tokens))
        rates[measure] = count / (time.perf_counter() - begin)
        run.close()
    return rates


# --- a float32 GGUF -------------------------------------------------------------------------------------

def write_f32(source, target):
    try:
        import gguf
        import numpy
    except ImportError as failure:
        raise BenchError(f"{failure}: install gguf and numpy for this interpreter") from failure
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        if kind == gguf.GGUFValueType.ARRAY:
            writer.add_key_value(name, field.contents(), kind, field.types[-1])
        else:
            writer.add_key_value(name, field.contents(), kind)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        writer.add_tensor(tensor.name, values.reshape([int(size) for size in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# --- the comparison -------------------------------------------------------------------------------------

def rate_text(values):
    if not values:
        return "-"
    spread = f" ({min(values):.3g}-{max(values):.3g})" if len(values) > 1 else ""
    return f"{statistics.median(values):.3g}{spread}"


def ratio_text(ours, theirs, wanted):
    if not ours or not theirs:
        return "-"
    ratio = statistics.median(ours) / statistics.median(theirs)
    return f"{ratio:.2f}x" + (f" (wanted {wanted:g}x)" if wanted else "")


def compare(options):
    measures = [name for name in MEASURES
                if any(name == wanted or name.startswith(wanted + "/") for wanted in options.measures.split(","))]
    if not measures:
        raise BenchError(f"--measures: expected some of {', '.join(MEASURES)} or decode, found '{options.measures}'")
    if bool(options.llama) != bool(options.gguf):
        raise BenchError("--llama and --gguf belong together")
    peer_measures = [name for name in measures if name != "verdicts"]
    engines = {"engine": lambda: run_engine(options.engine, options.model, measures)}
    if options.transformers and peer_measures:
        engines["transformers"] = lambda: run_peer(
            options.transformers, ["transformers", str(options.model), *peer_measures])
    if options.llama and peer_measures:
        engines["llama.cpp"] = lambda: run_peer(options.llama, ["llama", str(options.gguf), *peer_measures])
    rates = {name: {} for name in ("engine", "transformers", "llama.cpp")}
    for repeat in range(options.repeats):
        for name, run in engines.items():
            begin = time.monotonic()
            for measure, rate in run().items():
                rates[name].setdefault(measure, []).append(rate)
            print(f"bench_peers: repeat {repeat + 1} of {options.repeats}: {name}, {time.monotonic() - begin:.0f} s",
                  file=sys.stderr)

    lines = []
    for measure in peer_measures:
        ours, theirs, llama = (rates[name].get(measure) for name in ("engine", "transformers", "llama.cpp"))
        wanted = WANTED[measure]
        lines.append([f"{measure}, tokens/s", rate_text(ours), rate_text(theirs), ratio_text(ours, theirs, wanted[0]),
                      rate_text(llama), ratio_text(ours, llama, wanted[1])])
    print(text_table(["measure", "engine", "transformers", "ratio", "llama.cpp F32", "ratio"], lines))
    if "verdicts" in measures:
        shared, each = rates["engine"].get("verdicts"), rates["engine"].get("verdicts, nothing shared")
        print("\n" + text_table(["measure", "engine", "nothing shared", "ratio"],
                                [["verdicts/s, 600-token preamble", rate_text(shared), rate_text(each),
                                  ratio_text(shared, each, 3.0)]]))
    if options.json:
        options.json.write_text(json.dumps(rates, indent=1) + "\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    comparison = commands.add_parser("compare")
    comparison.add_argument("--engine", type=pathlib.Path, required=True, help="real_model_bench")
    comparison.add_argument("--model", type=pathlib.Path, required=True, help="Hugging Face folder, float32")
    comparison.add_argument("--transformers", help="a Python that has torch and transformers")
    comparison.add_argument("--llama", help="a Python that has llama-cpp-python")
    comparison.add_argument("--gguf", type=pathlib.Path, help="the same weights for llama.cpp, float32")
    comparison.add_argument("--repeats", type=int, default=3)
    comparison.add_argument("--measures", default=",".join(MEASURES))
    comparison.add_argument("--json", type=pathlib.Path, help="writes all rates there")
    for peer in ("transformers", "llama"):
        command = commands.add_parser(peer)
        command.add_argument("model")
        command.add_argument("measures", nargs="+")
    conversion = commands.add_parser("f32")
    conversion.add_argument("source", type=pathlib.Path)
    conversion.add_argument("target", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = parse()
    try:
        if options.command == "compare":
            compare(options)
        elif options.command == "f32":
            write_f32(options.source, options.target)
        else:
            work = transformers_rates if options.command == "transformers" else llama_rates
            print(json.dumps(work(options.model, options.measures)))
    except (BenchError, OSError) as error:
        print(f"bench_peers.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
