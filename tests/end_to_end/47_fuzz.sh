#!/usr/bin/env bash
# Every fuzz target runs for a moment under the sanitizers: its corpus, then changed inputs. FUZZ_SECONDS: how long each
# (default 3); jobs/fuzz.sh runs them long.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
seconds=${FUZZ_SECONDS:-3}

shopt -s nullglob
targets=(build/release/fuzz/fuzz_*)
[[ ${#targets[@]} != 0 ]] || { skip "fuzz targets" "none was built"; exit 0; }
for target in "${targets[@]}"; do
  name=$(basename "$target")
  name=${name#fuzz_}
  inputs=$(find "tests/fuzz/corpus/$name" -type f 2>/dev/null | wc -l)
  if [[ $inputs == 0 ]]; then
    fail "fuzz $name" "tests/fuzz/corpus/$name holds no input"
    continue
  fi
  ASAN_OPTIONS=detect_leaks=0 timeout $((seconds + 60)) "$target" -max_total_time="$seconds" -timeout=20 \
    -artifact_prefix="$scratch/" "tests/fuzz/corpus/$name" >"$scratch/out" 2>&1
  code=$?
  runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$scratch/out" | tail -n 1)
  if [[ $code != 0 ]]; then
    fail "fuzz $name" "exit code $code: $(grep -E 'ERROR|runtime error|^fuzz:' "$scratch/out" | head -n 3 | tr '\n' ' ')"
  elif [[ ${runs:-0} -le $inputs ]]; then
    fail "fuzz $name" "no input was run but the $inputs of the corpus"
  else
    pass "fuzz $name: nothing found"
    printf '%s: %s executions, %s inputs in the corpus\n' "$name" "$runs" "$inputs"
  fi
done
