#!/usr/bin/env python3
"""Decoding, prefill, verdicts and training of a real model: this program, transformers and llama.cpp, on one core each.

    bench_peers.py compare --engine build/release/bench/real_model_bench --model FOLDER
                           [--trainer build/release/bench/real_training_bench]
                           [--transformers PYTHON] [--llama PYTHON --gguf FILE] [--repeats 3] [--measures decode,...]
    bench_peers.py f32 IN.gguf OUT.gguf      a GGUF file with its quantized weights written out in float32

`compare` takes the engines in turn, repeat by repeat, so that a slow minute of the machine meets all of them, and prints
medians, spread and ratios. PYTHON is an interpreter whose environment has the peer: torch, transformers and numpy, or
llama-cpp-python; the program itself never needs them. Same weights, prompts, lengths and sampling (temperature 1, whole
vocabulary, no stop token, 64 new tokens); a rate counts the new tokens (or those read) over the time of the whole call,
prompts included. Training is one optimizer step of a reward model, and what a PPO step does after its responses are there:
scores, reference, values, one epoch of updates; every measure of it has a process of its own, whose peak memory is
printed. Exit code 2: something is missing or not what was expected.
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
TRAINING = ("train/reward-full", "train/reward-lora", "train/ppo-full", "train/ppo-lora")
MEASURES = ("decode/1", "decode/16", "decode/64", "prefill", "verdicts", *TRAINING)
# As in tests/bench/real_training_bench.cpp.
PAIRS, REWARD_STEPS = 12, 2
RESPONSES, MINIBATCH, PPO_STEPS, PROMPT, RESPONSE = 16, 8, 2, 32, 64
# What issue-sized runs are to reach, as ratios to transformers and to llama.cpp.
WANTED = {"decode/1": (1.3, 1.0), "decode/16": (2.0, 1.3), "decode/64": (2.0, 2.0), "prefill": (1.0, None),
          "train/reward-full": (1.1, None), "train/reward-lora": (1.2, None), "train/ppo-full": (1.1, None),
          "train/ppo-lora": (1.2, None)}


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


def run_trainer(binary, model, measure):
    output = pathlib.Path(f"{os.environ.get('TMPDIR', '/tmp')}/bench_peers.{os.getpid()}.json")
    command = [str(binary), f"--benchmark_filter=^{measure}/", f"--benchmark_out={output}", "--benchmark_out_format=json"]
    done = subprocess.run(command, env={**os.environ, "RLAIF_BENCH_MODEL": str(model)}, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{binary}: {(done.stderr or done.stdout).strip()[-400:]}")
    try:
        row = json.loads(output.read_text())["benchmarks"][0]
    finally:
        output.unlink(missing_ok=True)
    return {measure: row["tokens/s"], measure + ", MiB": row["peak_mib"]}


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


def peft_rates(model_folder, measures):
    """Training as a plain loop has it: right-padded batches, torch's AdamW, and PEFT for adapters; a PPO step works on four
    models, as TRL's trainer does: policy, reference, value and reward model."""
    try:
        import peft
        import resource
        import torch
        import transformers
    except ImportError as failure:
        raise BenchError(f"{failure}: install torch, transformers and peft for this interpreter") from failure
    torch.set_num_threads(1)
    (measure,) = measures
    low_rank = measure.endswith("lora")
    linears = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

    def causal(rank=0):
        model = transformers.AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
        if rank:
            model = peft.get_peft_model(model, peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=linears,
                                                               task_type="CAUSAL_LM"))
        return model

    def scalar(rank=0, kind="SEQ_CLS"):
        maker = (transformers.AutoModelForSequenceClassification if kind == "SEQ_CLS"
                 else transformers.AutoModelForTokenClassification)
        model = maker.from_pretrained(model_folder, dtype=torch.float32, num_labels=1)
        model.config.pad_token_id = 0
        if rank:
            model = peft.get_peft_model(model, peft.LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=linears,
                                                               task_type=kind))
        return model

    def padded(rows):
        longest = max(map(len, rows))
        return (torch.tensor([row + [0] * (longest - len(row)) for row in rows]),
                torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]))

    def step(optimizer, model):
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    def adamw(model, rate):
        return torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, weight_decay=0.0)

    def reward():
        model = scalar(8 if low_rank else 0)
        optimizer = adamw(model, 1e-4)
        vocabulary = model.config.vocab_size
        first = [prompt(2 * p, 64 + 16 * (p % 4), vocabulary) for p in range(PAIRS)]
        second = [prompt(2 * p + 1, 112 - 16 * (p % 4), vocabulary) for p in range(PAIRS)]
        count = sum(map(len, first)) + sum(map(len, second))
        ids, mask = padded(first + second)
        seconds = 0.0
        for number in range(REWARD_STEPS):
            begin = time.perf_counter()
            scores = model(ids, attention_mask=mask).logits[:, 0]
            difference = scores[:PAIRS] - scores[PAIRS:]
            logsigmoid = torch.nn.functional.logsigmoid
            (-(0.8 * logsigmoid(difference) + 0.2 * logsigmoid(-difference))).mean().backward()
            step(optimizer, model)
            seconds += time.perf_counter() - begin if number else 0.0
        return count * (REWARD_STEPS - 1) / seconds

    def ppo():
        policy, reference = causal(16 if low_rank else 0), causal().eval()
        value, judge = scalar(16 if low_rank else 0, "TOKEN_CLS"), scalar(8 if low_rank else 0).eval()
        optimizers = [(adamw(policy, 1e-5), policy), (adamw(value, 2e-5), value)]
        vocabulary = reference.config.vocab_size
        answers = slice(PROMPT - 1, PROMPT + RESPONSE - 1)

        def log_probs(model, ids):
            logits = model(ids, attention_mask=torch.ones_like(ids)).logits[:, answers]
            return torch.log_softmax(logits, -1).gather(2, ids[:, PROMPT:].unsqueeze(2)).squeeze(2)

        def values_of(ids):
            return value(ids, attention_mask=torch.ones_like(ids)).logits[:, answers, 0]

        def batches(ids):
            return [ids[begin:begin + MINIBATCH] for begin in range(0, RESPONSES, MINIBATCH)]

        seconds = 0.0
        for number in range(PPO_STEPS):
            ids = torch.tensor([prompt(number * RESPONSES + r, PROMPT + RESPONSE, vocabulary) for r in range(RESPONSES)])
            begin = time.perf_counter()
            with torch.no_grad():
                scores = torch.cat([judge(b, attention_mask=torch.ones_like(b)).logits[:, 0] for b in batches(ids)])
                before = torch.cat([log_probs(policy, b) for b in batches(ids)])
                kept = torch.cat([log_probs(reference, b) for b in batches(ids)])
                old_values = torch.cat([values_of(b) for b in batches(ids)])
                rewards = -0.2 * (before - kept)
                rewards[:, -1] += scores
                advantages, later = torch.zeros_like(rewards), 0.0
                for t in reversed(range(RESPONSE)):
                    following = old_values[:, t + 1] if t + 1 < RESPONSE else 0.0
                    later = rewards[:, t] + following - old_values[:, t] + 0.95 * later
                    advantages[:, t] = later
                returns = advantages + old_values
                advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
            for begin_row in range(0, RESPONSES, MINIBATCH):
                rows = slice(begin_row, begin_row + MINIBATCH)
                ratio = torch.exp(log_probs(policy, ids[rows]) - before[rows])
                clipped = torch.clamp(ratio, 0.8, 1.2)
                (-torch.minimum(ratio * advantages[rows], clipped * advantages[rows])).mean().backward()
                new = values_of(ids[rows])
                bounded = torch.clamp(new, old_values[rows] - 0.2, old_values[rows] + 0.2)
                (0.5 * torch.maximum((new - returns[rows]) ** 2, (bounded - returns[rows]) ** 2)).mean().backward()
                for optimizer, model in optimizers:
                    step(optimizer, model)
            seconds += time.perf_counter() - begin if number else 0.0
        return RESPONSES * (PROMPT + RESPONSE) * (PPO_STEPS - 1) / seconds

    rate = reward() if "reward" in measure else ppo()
    return {measure: rate, measure + ", MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


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
    training = [name for name in measures if name in TRAINING and options.trainer]
    measures = [name for name in measures if name not in TRAINING]
    peer_measures = [name for name in measures if name != "verdicts"]

    def trained(run):
        rows = {}
        for measure in training:
            rows |= run(measure)
        return rows

    engines = {"engine": lambda: (run_engine(options.engine, options.model, measures) if measures else {})
               | trained(lambda measure: run_trainer(options.trainer, options.model, measure))}
    if options.transformers and (peer_measures or training):
        engines["transformers"] = lambda: (
            run_peer(options.transformers, ["transformers", str(options.model), *peer_measures]) if peer_measures else {}
        ) | trained(lambda measure: run_peer(options.transformers, ["peft", str(options.model), measure]))
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
    if lines:
        print(text_table(["measure", "engine", "transformers", "ratio", "llama.cpp F32", "ratio"], lines))
    if training:
        rows = []
        for measure in training:
            ours, theirs = rates["engine"].get(measure), rates["transformers"].get(measure)
            memory, their_memory = (rates[name].get(measure + ", MiB") for name in ("engine", "transformers"))
            wanted = 0.5 if measure == "train/ppo-lora" else None
            rows.append([f"{measure}, tokens/s", rate_text(ours), rate_text(theirs),
                         ratio_text(ours, theirs, WANTED[measure][0]), rate_text(memory), rate_text(their_memory),
                         ratio_text(memory, their_memory, wanted)])
        print("\n" + text_table(["measure", "engine", "torch, PEFT", "ratio", "peak MiB", "torch, PEFT", "ratio"], rows))
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
    comparison.add_argument("--trainer", type=pathlib.Path, help="real_training_bench, for train/...")
    comparison.add_argument("--model", type=pathlib.Path, required=True, help="Hugging Face folder, float32")
    comparison.add_argument("--transformers", help="a Python that has torch and transformers (and peft, for train/...)")
    comparison.add_argument("--llama", help="a Python that has llama-cpp-python")
    comparison.add_argument("--gguf", type=pathlib.Path, help="the same weights for llama.cpp, float32")
    comparison.add_argument("--repeats", type=int, default=3)
    comparison.add_argument("--measures", default=",".join(MEASURES))
    comparison.add_argument("--json", type=pathlib.Path, help="writes all rates there")
    for peer in ("transformers", "llama", "peft"):
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
            work = {"transformers": transformers_rates, "llama": llama_rates, "peft": peft_rates}[options.command]
            print(json.dumps(work(options.model, options.measures)))
    except (BenchError, OSError) as error:
        print(f"bench_peers.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
