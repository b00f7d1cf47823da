#!/usr/bin/env bash
# The program's tokenizer against Hugging Face's `tokenizers`, id by id, on 1,500 real strings each; --limit 20000 takes more.
# Environment: TEST_TEXT, the test binary of the text module (default: of build/release); SMOLLM2, the folder of a
# model (jobs/convert_gguf.py) whose tokenizer is compared as well.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
name="the tokenizer equals the reference on real text"
python=.venv-tests/bin/python3
binary=${TEST_TEXT:-build/release/tests/test_text}
for needed in "$python" "$binary"; do
  if [[ ! -x $needed ]]; then
    printf 'SKIP %s: %s is not there (jobs/setup.sh --tests, jobs/build.sh all)\n' "$name" "$needed"
    exit 0
  fi
done
[[ $# -gt 0 ]] || set -- --limit 1500
own=()
[[ ! -f ${SMOLLM2:-}/tokenizer.json ]] || own=(--tokenizer "$SMOLLM2/tokenizer.json")
output=$("$python" -B tests/end_to_end/tokenizer_equality.py "$binary" "${own[@]}" "$@" 2>&1)
code=$?
printf '%s\n' "$output"
last=$(tail -n 1 <<<"$output")
case $code in
  0) printf 'PASS %s\n' "$name" ;;
  77) printf 'SKIP %s: %s\n' "$name" "${last#SKIPPED: }" ;;
  *) printf 'FAIL %s: %s\n' "$name" "$last"; exit 1 ;;
esac
