#!/usr/bin/env python3
"""DPO and GRPO steps of a real model: this program and TRL, on the same data, on one core and on two.

    bench_methods.py compare --engine build/release/bench/method_steps --model FOLDER --work FOLDER [--trl PYTHON]
                             [--turns 3] [--cells dpo/lora,grpo] [--cores 1,2] [--prompts 32] [--pairs 16]

First whether both sides compute the same (`--check 0` leaves it out): a few pairs and given responses, two updates each;
losses, log-probabilities and gradient norms are printed side by side. Then `--turns` turns, each of every cell by one
side and the other, every run a process of its own: medians, spread, ratios, peak memory (VmHWM, of all ranks together).
PYTHON is an interpreter that has torch, transformers, peft, datasets and trl; without it this program is measured alone.

What is compared:
  data       prompts of inputs/everyday_train.jsonl in the model's control tokens, answers drawn from the model as it is;
             both sides get tokens, and the same adapter. Float32, AdamW, gradients clipped at norm 1.
  lora, full rank 16 on all projections of layers 15 and up; all weights
  dpo        sigmoid loss, two epochs over the pairs in one batch. The second epoch is timed, with the reference's
             reading of the pairs, which this program does once before the first epoch and TRL in every epoch.
  grpo       one step from the prompts to the moved policy: 4 responses to each, at most 48 tokens, temperature 1, a
             reward of almost no cost, group advantages, k3 in the loss, a sum by token, one update. Each side draws
             for itself; rates count what it drew. Training is what is left of the step when drawing is taken off.
  TRL        without gradient checkpointing unless --trl-checkpointing is given (its default: less memory, more time)
Tokens are those of prompts and answers, paddings not counted. Exit code 1: the two sides differ; 2: something is
missing or not what was expected.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from bench_peers import BenchError, rate_text, ratio_text
from text_table import text_table

CELLS = ("dpo/lora", "dpo/full", "grpo/lora", "grpo/full")
# What issue-sized runs are to reach, as ratios to TRL: training, the whole step of GRPO, memory.
WANTED_TRAINING, WANTED_STEP, WANTED_MEMORY = 1.5, 2.0, 0.5
RESPONSES, NEW_TOKENS, SYSTEM = 4, 48, "Answer in one or two short sentences."
LORA = {"rank": 16, "alpha": 32, "first_layer": 15}
# A large epsilon: with a small one AdamW's first step goes by the signs of gradients, those that are rounding too. The
# rates move the policy far enough for losses to differ from the first.
ADAM_EPSILON, LEARNING_RATE = 1e-2, {"lora": 1e-3, "full": 1e-4}
TOLERANCE = 1e-4


def task_of(options, cell, cores, prompts, **more):
    """What one run is to do, for both sides alike; tests/bench/method_steps.cpp reads it too."""
    method, weights = cell.split("/")
    task = {
        "do": method, "weights": weights, "model": str(options.model), "data": str(options.work / "data.json"),
        "adapter": str(options.work / "adapter"), "lora": LORA, "prompts": prompts, "responses": RESPONSES,
        "new_tokens": NEW_TOKENS, "beta": 0.1 if method == "dpo" else 0.04, "learning_rate": LEARNING_RATE[weights],
        "adam_epsilon": ADAM_EPSILON, "epochs": 1, "threads": cores, "ranks": 1, "metrics": str(options.work / "metrics.jsonl"),
        # Both sides work on a batch in parts of about so many tokens: sequences are some 75 long.
        "micro_batch_tokens": 75 * options.sequences, "micro_batch_sequences": options.sequences,
        "slots": options.slots, "keep_responses": False, "responses_given": None, "exact_norms": False,
        "checkpointing": options.trl_checkpointing}
    return task | more


# --- one run of one side --------------------------------------------------------------------------------

def result_of(command, task, work, environment):
    task_file, result_file = work / "task.json", work / "result.json"
    task_file.write_text(json.dumps(task) + "\n")
    result_file.unlink(missing_ok=True)
    done = subprocess.run([*command, str(task_file), str(result_file)], env={**os.environ, **environment},
                          capture_output=True, text=True)
    if done.returncode != 0 or not result_file.exists():
        raise BenchError(f"{' '.join(map(str, command))} ({task['do']}): {(done.stderr or done.stdout).strip()[-600:]}")
    return json.loads(result_file.read_text())


def run_engine(options, task):
    metrics = pathlib.Path(task["metrics"])
    metrics.unlink(missing_ok=True)
    launcher = ["mpirun", "-n", str(task["ranks"])] if task["ranks"] > 1 else []
    result = result_of([*launcher, str(options.engine)], task, options.work, {"OMP_NUM_THREADS": str(task["threads"])})
    if metrics.exists():
        result["metrics"] = [json.loads(line) for line in metrics.read_text().splitlines()]
    return result


def run_trl(options, task):
    return result_of([options.trl, os.path.abspath(__file__), "trl"], task, options.work,
                     {"OMP_NUM_THREADS": str(task["threads"]), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1",
                      "TRL_EXPERIMENTAL_SILENCE": "1", "PYTHONWARNINGS": "ignore"})


# --- TRL's side -----------------------------------------------------------------------------------------

def trl_run(task):
    try:
        import datasets
        import peft
        import resource
        import torch
        import transformers
        import trl
        from safetensors.torch import load_file
    except ImportError as failure:
        raise BenchError(f"{failure}: install torch, transformers, peft, datasets and trl for this interpreter") from failure
    torch.set_num_threads(task["threads"])
    transformers.logging.set_verbosity_error()
    data = json.loads(pathlib.Path(task["data"]).read_text())
    prompts, answers = data["prompts"][:task["prompts"]], data["answers"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(task["model"])
    seen = {"losses": [], "norms": [], "steps": [], "drawing": 0.0, "tokens": 0, "drawn": 0}

    class Watch(transformers.TrainerCallback):
        def on_train_begin(self, arguments, state, control, optimizer=None, **rest):
            if task["epochs"] > 1 or task["do"] == "dpo":
                return
            # The one step that is timed finds the optimizer's state in memory, as later steps do.
            groups = optimizer.param_groups
            rates = [group["lr"] for group in groups]
            for group in groups:
                group["lr"] = 0.0
                for parameter in group["params"]:
                    parameter.grad = torch.zeros_like(parameter)
            getattr(optimizer, "optimizer", optimizer).step()
            optimizer.zero_grad()
            for group, rate in zip(groups, rates):
                group["lr"] = rate

        def on_step_begin(self, *arguments, **rest):
            seen["losses"].append([])
            self.begin = time.perf_counter()

        def on_step_end(self, *arguments, **rest):
            seen["steps"].append(time.perf_counter() - self.begin)

    def common(folder, sequences, micro, steps):
        return {
            "output_dir": folder, "use_cpu": True, "bf16": False, "per_device_train_batch_size": micro,
            "gradient_accumulation_steps": sequences // micro, "max_steps": steps, "beta": task["beta"],
            "learning_rate": task["learning_rate"], "lr_scheduler_type": "constant", "warmup_steps": 0,
            "weight_decay": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.999,
            "adam_epsilon": task["adam_epsilon"], "max_grad_norm": 1.0,
            "gradient_checkpointing": task["checkpointing"], "report_to": "none", "save_strategy": "no",
            "logging_steps": 1, "disable_tqdm": True, "dataloader_pin_memory": False,
            "model_init_kwargs": {"dtype": "float32"}}

    class TokensDpo(trl.DPOTrainer):
        def _prepare_dataset(self, dataset, *rest):  # it is made of tokens
            return dataset

        def compute_loss(self, *arguments, **named):
            loss = super().compute_loss(*arguments, **named)
            seen["losses"][-1].append(loss.item())
            return loss

    class TokensGrpo(trl.GRPOTrainer):
        def _tokenize_prompts(self, numbers):
            return [prompts[int(number)] for number in numbers], None, {}

        def _generate_single_turn(self, *arguments, **named):
            begin = time.perf_counter()
            result = super()._generate_single_turn(*arguments, **named)
            seen["drawing"] += time.perf_counter() - begin
            return result

        def compute_loss(self, *arguments, **named):
            loss = super().compute_loss(*arguments, **named)
            seen["losses"][-1].append(loss.item())
            return loss

    def reward(prompts, completion_ids, **rest):
        seen["drawn"] += sum(map(len, completion_ids))
        return [sum(token % 2 for token in answer) / len(answer) for answer in completion_ids]

    def given(numbers, trainer):
        left = {}
        for response in task["responses_given"]:
            left.setdefault(response["prompt"], []).append(response["tokens"])
        return {"prompt_ids": [prompts[int(number)] for number in numbers],
                "completion_ids": [left[int(number)].pop(0) for number in numbers], "logprobs": None}

    adapter = None
    if task["weights"] == "lora":
        layers = json.loads((pathlib.Path(task["model"]) / "config.json").read_text())["num_hidden_layers"]
        adapter = peft.LoraConfig(
            r=task["lora"]["rank"], lora_alpha=task["lora"]["alpha"], lora_dropout=0.0, task_type="CAUSAL_LM",
            target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
            layers_to_transform=list(range(task["lora"]["first_layer"], layers)))

    with tempfile.TemporaryDirectory() as folder:
        shared = {"model": task["model"], "processing_class": tokenizer, "callbacks": [Watch()], "peft_config": adapter}
        if task["do"] == "dpo":
            rows = [{"prompt_ids": prompt, "chosen_ids": answers[i][0], "rejected_ids": answers[i][1]}
                    for i, prompt in enumerate(prompts)]
            seen["tokens"] = sum(2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])
                                 for row in rows)
            arguments = trl.DPOConfig(**common(folder, len(rows), min(len(rows), task["micro_batch_sequences"] // 2), 2))
            trainer = TokensDpo(args=arguments, train_dataset=datasets.Dataset.from_list(rows), **shared)
        else:
            sequences = task["responses"] * len(prompts)
            arguments = trl.GRPOConfig(
                num_generations=task["responses"], max_completion_length=task["new_tokens"], temperature=1.0,
                num_iterations=task["epochs"], loss_type="dapo", scale_rewards="group", epsilon=0.2, top_k=0,
                **common(folder, sequences, min(sequences, task["micro_batch_sequences"]), task["epochs"]))
            rows = [{"prompt": str(number)} for number in range(len(prompts))]
            trainer = TokensGrpo(args=arguments, train_dataset=datasets.Dataset.from_list(rows), reward_funcs=reward,
                                 rollout_func=given if task["responses_given"] else None, **shared)
        if adapter:
            state = load_file(os.path.join(task["adapter"], "adapter_model.safetensors"))
            unknown = peft.set_peft_model_state_dict(trainer.model, state).unexpected_keys
            if unknown:
                raise BenchError(f"{task['adapter']}: PEFT does not know {unknown[:3]}")
        if task["exact_norms"]:
            # torch adds a tensor's squares in float32: of the 28 million of an embedding it misses the norm by 2e-4 and more.
            clip = trainer.accelerator.clip_grad_norm_

            def noted(parameters, *rest, **named):
                parameters = list(parameters)
                squares = [p.grad.double().square().sum().item() for p in parameters if p.grad is not None]
                seen["norms"].append(sum(squares) ** 0.5)
                return clip(parameters, *rest, **named)

            trainer.accelerator.clip_grad_norm_ = noted
        with torch.no_grad():
            trainer.model(torch.tensor([[1, 2, 3]]))  # weights into memory
        trainer.train()

    if task["do"] == "grpo":
        seen["tokens"] = task["responses"] * sum(map(len, prompts)) + seen["drawn"]
    seconds = seen["steps"][-1]
    return {"tokens": seen["tokens"], "drawn": seen["drawn"], "seconds": seconds,
            "training_seconds": seconds - seen["drawing"],
            "parts": {"responses": seen["drawing"], "the rest": seconds - seen["drawing"]},
            "losses": [statistics.fmean(step) if task["do"] == "dpo" else sum(step) for step in seen["losses"]],
            "norms": seen["norms"], "log": [entry for entry in trainer.state.log_history if "grad_norm" in entry],
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


# --- whether both sides compute the same ----------------------------------------------------------------

def compared(options, cell):
    """[(quantity, ours, theirs)]: numbers whose definitions are the same on both sides."""
    def task(**more):
        return task_of(options, cell, 1, options.check, exact_norms=True, **more)

    if cell.startswith("dpo"):
        ours = run_engine(options, task())["metrics"]
        theirs = run_trl(options, task())
        rows = []
        for step, where in enumerate(("", ", after an update")):
            log = theirs["log"][step]
            rows += [("loss" + where, ours[step]["loss"], theirs["losses"][step]),
                     ("log p of the chosen" + where, ours[step]["chosen_log_prob"], log["logps/chosen"]),
                     ("log p of the rejected" + where, ours[step]["rejected_log_prob"], log["logps/rejected"]),
                     ("gradient norm" + where, ours[step]["gradient_norm"], theirs["norms"][step])]
        return rows
    one = run_engine(options, task(keep_responses=True))
    two = run_engine(options, task(epochs=2, keep_responses=True))
    if one["responses"] != two["responses"]:
        raise BenchError("the same step drew other responses")
    theirs = run_trl(options, task(epochs=2, responses_given=one["responses"]))
    first, both = one["metrics"][0], two["metrics"][0]
    log = theirs["log"]

    def second(key):  # metrics are means over the updates of a step
        return 2 * both[key] - first[key]

    return [("mean reward", first["reward"], log[0]["reward"]),
            ("loss", first["policy_loss"], theirs["losses"][0]),
            ("gradient norm", first["gradient_norm"], theirs["norms"][0]),
            ("entropy", first["entropy"], log[0]["entropy"]),
            ("loss, after an update", second("policy_loss"), theirs["losses"][1]),
            ("gradient norm, after an update", second("gradient_norm"), theirs["norms"][1]),
            ("k3 to the reference, after an update", second("kl_k3"), log[1]["kl"])]


def differs(ours, theirs):
    return abs(ours - theirs) > TOLERANCE * max(1.0, abs(theirs))


def check(options, cells):
    """Prints the numbers side by side; returns whether they agree."""
    rows, same = [], True
    for cell in cells:
        for quantity, ours, theirs in compared(options, cell):
            bad = differs(ours, theirs)
            same = same and not bad
            rows.append([f"{cell}: {quantity}", f"{ours:.6f}", f"{theirs:.6f}",
                         f"{abs(ours - theirs):.1e}" + (" DIFFERS" if bad else "")])
        print(f"bench_methods: {cell} compared", file=sys.stderr)
    print(text_table([f"{options.check} prompts", "engine", "TRL", "difference"], rows) + "\n")
    return same


# --- speed ----------------------------------------------------------------------------------------------

def add(results, side, cell, cores, run):
    of = results.setdefault(f"{cell}, {cores} core" + ("s" if cores > 1 else ""), {}).setdefault(side, {})
    of.setdefault("training, tokens/s", []).append(run["tokens"] / run["training_seconds"])
    of.setdefault("whole step, tokens/s", []).append(run["tokens"] / run["seconds"])
    of.setdefault("whole step, s", []).append(run["seconds"])
    of.setdefault("peak, MiB", []).append(run["peak_mib"])
    for part, seconds in run["parts"].items():
        of.setdefault("parts", {}).setdefault(part, []).append(seconds)


def measure(options, cells, cores):
    results = {}
    sides = {"engine": run_engine} | ({"TRL": run_trl} if options.trl else {})
    for turn in range(options.turns):
        for count in cores:
            for cell in cells:
                prompts = options.pairs if cell.startswith("dpo") else options.prompts
                for side, run in sides.items():
                    task = task_of(options, cell, count, prompts)
                    if side == "engine" and options.parallel == "ranks":
                        task |= {"threads": 1, "ranks": count}
                    begin = time.monotonic()
                    add(results, side, cell, count, run(options, task))
                    print(f"bench_methods: turn {turn + 1} of {options.turns}: {cell}, {count} cores, {side}, "
                          f"{time.monotonic() - begin:.0f} s", file=sys.stderr)
                if options.json:
                    options.json.write_text(json.dumps(results, indent=1) + "\n")
    return results


def speed_text(results):
    rows, parts = [], []
    for cell, sides in results.items():
        ours, theirs = sides["engine"], sides.get("TRL", {})
        is_grpo = cell.startswith("grpo")
        wanted = {"training, tokens/s": WANTED_TRAINING, "whole step, tokens/s": WANTED_STEP if is_grpo else None,
                  "whole step, s": None, "peak, MiB": WANTED_MEMORY}
        for name, target in wanted.items():
            if name == "whole step, tokens/s" and not is_grpo:
                continue  # a step of DPO is training
            rows.append([f"{cell}: {name}", rate_text(ours[name]), rate_text(theirs.get(name)),
                         ratio_text(ours[name], theirs.get(name), target)])
        for side, of in sides.items():
            parts.append([cell, side, ", ".join(f"{part} {statistics.median(seconds):.3g}"
                                                for part, seconds in of["parts"].items())])
    return (text_table(["measure", "engine", "TRL", "ratio"], rows) + "\n\n" +
            text_table(["where a step's seconds go", "side", "medians"], parts))


def compare(options):
    cells = [cell for cell in CELLS
             if any(cell == wanted or cell.startswith(wanted + "/") for wanted in options.cells.split(","))]
    if not cells:
        raise BenchError(f"--cells: expected some of {', '.join(CELLS)}, dpo or grpo, found '{options.cells}'")
    cores = [int(count) for count in options.cores.split(",")]
    for name, count in (("--prompts", RESPONSES * options.prompts), ("--pairs", 2 * options.pairs)):
        if count > options.sequences and count % options.sequences:
            raise BenchError(f"{name}: {count} sequences were expected to be a multiple of --sequences, {options.sequences}")
    options.work.mkdir(parents=True, exist_ok=True)
    most = max(options.prompts, options.pairs, options.check)
    data = {"do": "data", "model": str(options.model), "system": SYSTEM, "questions": str(options.questions),
            "prompts": most, "new_tokens": NEW_TOKENS, "threads": 1, "ranks": 1,
            "adapter": str(options.work / "adapter"), "lora": LORA, "metrics": str(options.work / "metrics.jsonl")}
    (options.work / "data.json").write_text(json.dumps(run_engine(options, data)) + "\n")
    same = check(options, cells) if options.check and options.trl else True
    if options.turns:
        print(speed_text(measure(options, cells, cores)))
    return 0 if same else 1


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    comparison = commands.add_parser("compare")
    comparison.add_argument("--engine", type=pathlib.Path, required=True, help="method_steps")
    comparison.add_argument("--model", type=pathlib.Path, required=True, help="Hugging Face folder, float32")
    comparison.add_argument("--work", type=pathlib.Path, required=True, help="a folder for data and results of runs")
    comparison.add_argument("--questions", type=pathlib.Path, default=pathlib.Path("inputs/everyday_train.jsonl"))
    comparison.add_argument("--trl", help="a Python that has torch, transformers, peft, datasets and trl")
    comparison.add_argument("--turns", type=int, default=3, help="0: only whether both compute the same")
    comparison.add_argument("--cells", default="dpo,grpo", help=f"of {', '.join(CELLS)}")
    comparison.add_argument("--cores", default="1,2")
    comparison.add_argument("--parallel", choices=("threads", "ranks"), default="threads",
                            help="what the engine has several of on several cores")
    comparison.add_argument("--prompts", type=int, default=32, help="of a step of GRPO")
    comparison.add_argument("--pairs", type=int, default=16, help="of a step of DPO")
    comparison.add_argument("--sequences", type=int, default=16, help="that either side trains on at once")
    comparison.add_argument("--slots", type=int, default=64, help="sequences that the engine decodes together")
    comparison.add_argument("--check", type=int, default=4, help="prompts for the comparison of losses; 0: none")
    comparison.add_argument("--trl-checkpointing", action="store_true", help="TRL computes activations twice")
    comparison.add_argument("--json", type=pathlib.Path, help="writes all measurements there")
    peer = commands.add_parser("trl")
    peer.add_argument("task", type=pathlib.Path)
    peer.add_argument("result", type=pathlib.Path)
    return parser.parse_args()


def main():
    options = parse()
    try:
        if options.command == "compare":
            return compare(options)
        options.result.write_text(json.dumps(trl_run(json.loads(options.task.read_text()))) + "\n")
    except (BenchError, OSError) as error:
        print(f"bench_methods.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
