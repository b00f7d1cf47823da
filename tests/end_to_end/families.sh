#!/usr/bin/env bash
# Model families against transformers, both ways: folders that it wrote (several files, 16 bits) give its logits and greedy
# continuations; what the program writes it loads without complaint and computes the same. Two minutes.
# Environment: FAMILIES_PYTHON, a Python with torch and transformers (default: .venv-tests); TEST_MODEL, the test binary
# of the model module (default: of build/release); SMOLLM2, a real model's folder to compare with too (optional).
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
python=${FAMILIES_PYTHON:-.venv-tests/bin/python3}
binary=${TEST_MODEL:-build/release/tests/test_model}
fixture=tests/fixtures/make_model_fixture.py
if [[ ! -x $binary ]]; then
  printf 'SKIP model families: %s is not there (jobs/build.sh all)\n' "$binary"
  exit 0
fi
if ! "$python" -B -c 'import torch, transformers' 2>/dev/null; then
  printf 'SKIP model families: %s has no torch and transformers (FAMILIES_PYTHON names another)\n' "$python"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# run NAME COMMAND...: the command's own lines about models, then PASS or FAIL
run() {
  local name=$1
  shift
  "$@" >"$scratch/out" 2>&1
  local code=$?
  grep -E 'largest difference|smallest margin|Failure|Error' "$scratch/out"
  if [[ $code == 0 ]]; then
    printf 'PASS %s\n' "$name"
  else
    printf 'FAIL %s: %s\n' "$name" "$(tail -n 2 "$scratch/out" | tr '\n' ' ')"
    failed=1
  fi
}

export HF_HUB_OFFLINE=1
mkdir "$scratch/ours" "$scratch/theirs"
run "transformers writes every family" "$python" -B "$fixture" folders "$scratch/theirs"
if [[ -n ${SMOLLM2:-} ]]; then
  mkdir "$scratch/theirs/smollm2"
  ln -s "$(realpath "$SMOLLM2")"/* "$scratch/theirs/smollm2/"
  run "transformers reads the pretrained model" "$python" -B "$fixture" expect "$scratch/theirs/smollm2"
fi
run "the program reads what transformers wrote" env RLAIF_MODEL_FOLDERS="$scratch/theirs" RLAIF_MODEL_CHECK="$scratch/ours" \
  "$binary" --gtest_filter='FamilyFolders.*'
run "transformers reads what the program wrote" "$python" -B "$fixture" check "$scratch"/ours/*
exit $failed
