#!/usr/bin/env bash
# Under every instruction set that this machine has: the numeric tests, and the smoke study twice with the same bytes. A run that
# goes on under another set says so, and shared stages are never taken across sets.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mapfile -t sets < <("$rlaif" info | sed -n 's/^sets  *\([^;]*\);.*/\1/p' | tr -d ' ' | tr ',' '\n')
least=${sets[0]} best=${sets[-1]}
tests=$root/build/release/tests

# numeric VARIABLE=VALUE...: the tests of sums, products and functions, in an environment that chooses among the libraries'
# loops. Matmul.*UnderEveryInstructionSet goes through the sets by itself.
numeric() {
  env "$@" "$tests/test_model" --gtest_brief=1 --gtest_filter='OwnLoops.*:RmsNorm.*:Swiglu.*:Project.*:*Rotary*:*Attention*:NormHeads.*:Transformer.*:Extend.*:Adapter.*:*Family*Transformers:ModelFolder.OfTransformers*:Matmul.*-*UnderEveryInstructionSet' &&
    env "$@" "$tests/test_train" --gtest_brief=1 --gtest_filter='*LogProbs.*:TokenEntropy.*:Gradients.*:AdamW.*:LanguageModel.*:RewardModel.*:ScoreSequences.*:Ppo.FirstSteps*:DpoLoss.*:DpoReference.*:Dpo.TheGradient*' &&
    env "$@" "$tests/test_generate" --gtest_brief=1 --gtest_filter='Softmax.*:SampleToken.*:NextToken*:Generate*:Engine*' &&
    env "$@" "$tests/test_judge" --gtest_brief=1 --gtest_filter='LocalJudge.*'
}

# Each environment is a run of its own of the same tests: as many at once as there are processors. With the best set the unit
# tests run anyway.
environments=() names=()
add() { names+=("numeric tests with $1") environments+=("$2"); }
for set in "${sets[@]}"; do
  [[ $set != "$best" ]] || continue
  add "all libraries pinned to $set" "RLAIF_INSTRUCTION_SET=$set"
  add "libtorch alone at $set" "ATEN_CPU_CAPABILITY=$set"
done
# MKL by itself: what it takes on another maker's processors, and on older ones of its own.
add "MKL's general code" MKL_CBWR=COMPATIBLE
for set in SSE4_2 AVX2 AVX512; do
  lower=${set,,}
  [[ $set == SSE4_2 || " ${sets[*]} " == *" $lower "* ]] || continue
  add "MKL at $set" "MKL_ENABLE_INSTRUCTIONS=$set"
done
export -f numeric
export tests
# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\0' "${environments[@]}" |
  xargs -0 -P "$(processors)" -I{} bash -c 'numeric "$2" >"$1/$2.out" 2>&1; echo $? >"$1/$2.rc"' _ "$scratch" {}
for i in "${!environments[@]}"; do
  check "${names[i]}" bash -c 'cat "$1.out"; exit "$(cat "$1.rc")"' _ "$scratch/${environments[i]}"
done

study() {  # study RANKS DIRECTORY SET MORE...
  local count=$1 directory=$2 set=$3
  shift 3
  ranks "$count" study inputs/smoke.cfg --run.directory="$scratch/$directory" --run.instruction_set="$set" "$@"
}
for set in "${sets[@]}"; do
  check "smoke study under $set" study 1 "$set" "$set"
  check "smoke study under $set again, on 2 ranks" study 2 "$set-again" "$set"
  check "twice under $set gives the same bytes" same_results "$scratch/$set" "$scratch/$set-again"
  check "run.json, stages and results name what $set took" python3 - "$scratch/$set" "$set" <<'P'
import json, pathlib, sys
run, name = pathlib.Path(sys.argv[1]), sys.argv[2]
taken = json.loads((run / "run.json").read_text())["instruction_set"]
assert taken.startswith(f"libtorch {name}, own loops {name}, "), taken
for marker in (run / "stages").glob("*.json"):
    assert json.loads(marker.read_text())["instruction_sets"] == [taken], marker
assert json.loads((run / "report" / "results.json").read_text())["instruction_sets"] == [taken]
P
done
expect_error "a set that no processor has is refused" 2 "run.instruction_set: 'avx1024' was given, one of auto, default, avx2, avx512" \
  study inputs/smoke.cfg --run.directory="$scratch/none" --run.instruction_set=avx1024
if [[ $best == avx512 ]]; then
  skip "a set that this processor lacks is refused" "it has all of them; PinnedSet.ThatARankLacksIsRefusedWithWhatItHas holds the message"
else
  expect_error "a set that this processor lacks is refused" 2 "run.instruction_set: 'avx512' was given, .* has ${sets[*]// /, }" \
    study inputs/smoke.cfg --run.directory="$scratch/none" --run.instruction_set=avx512
fi

if [[ $least == "$best" ]]; then
  skip "going on under another set is said" "this machine has one set"
  exit 0
fi

# Going on under another set: said once, with both; the marker of the stage that both worked on would name both.
ranks 1 sft inputs/smoke.cfg --run.directory="$scratch/mixed" --run.instruction_set="$least" >"$scratch/sft" 2>&1
check "going on under another set is said, and names both" bash -c "
  source tests/end_to_end/lib.sh
  ranks 1 annotate inputs/smoke.cfg --run.directory='$scratch/mixed' --run.instruction_set='$best' >'$scratch/annotate' 2>&1 &&
  grep -c 'warning: .*was computed with libtorch $least, .*sft.* and goes on with libtorch $best, ' '$scratch/annotate' | grep -qx 1"
study 1 mixed "$best" >"$scratch/mixed.out" 2>&1
check "the report of such a run says so" grep -q "the run was computed with several instruction sets: libtorch" "$scratch/mixed.out"
check "going on under the same set says nothing" bash -c "! grep -q 'goes on with' '$scratch/sft' && grep -q 'goes on with' '$scratch/mixed.out'"

# Shared stages: one entry a set.
share() { study 1 "$1" "$2" --run.shared="$scratch/store" >"$scratch/$1.out" 2>&1; }
check "a run that puts its stages into run.shared" share first "$least"
check "a run under another set takes none of them" bash -c "$(declare -f share study ranks run_ranks processors); rlaif='$rlaif' scratch='$scratch'
  share second '$best' && ! grep -q ': taken from' '$scratch/second.out'"
check "a run under the same set takes them" bash -c "$(declare -f share study ranks run_ranks processors); rlaif='$rlaif' scratch='$scratch'
  share third '$least' && grep -q '^sft: taken from' '$scratch/third.out' && grep -q '^ppo-rlaif: taken from' '$scratch/third.out'"
check "what was taken is what would have been made" same_results "$scratch/first" "$scratch/third"
# A run whose stages are of two sets offers those of the present one alone.
mkdir "$scratch/other-store"
study 1 mixed "$best" --run.shared="$scratch/other-store" >"$scratch/offer" 2>&1
check "stages of another set are not offered as the present one's" bash -c "
  grep -q '^sft: was not computed with libtorch $best, ' '$scratch/offer' && ! ls '$scratch/other-store' | grep -q '^sft-' && ls '$scratch/other-store' | grep -q '^ppo-rlaif-'"
