#!/usr/bin/env bash
# Chat templates rendered by the program and by jinja2, set up as transformers sets it up: equal to the character.
# Environment: RENDER_TEMPLATE, the test program (default: of build/release); TEMPLATES, a folder of *.jinja of real models to
# compare on as well; SEEDS (default "1 2"), COUNT (default 1500), of the templates put together at random.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
python=.venv-tests/bin/python3
render=${RENDER_TEMPLATE:-build/release/tests/render_template}
name="chat templates are rendered as jinja2 renders them"
if [[ ! -x $render ]]; then
  printf 'SKIP %s: %s is not there (jobs/build.sh all)\n' "$name" "$render"
  exit 0
fi
if ! "$python" -c 'import jinja2' 2>/dev/null; then
  printf 'SKIP %s: jinja2 is not installed in .venv-tests (jobs/setup.sh --tests)\n' "$name"
  exit 0
fi

compare() {
  local what=$1 output
  shift
  if output=$("$python" -B tests/end_to_end/chat_templates.py "$render" "$@" 2>&1); then
    printf '%s\nPASS %s, %s\n' "$(tail -n 1 <<<"$output")" "$name" "$what"
  else
    printf '%s\nFAIL %s, %s: %s\n' "$output" "$name" "$what" "$(tail -n 1 <<<"$output")"
  fi
}

for seed in ${SEEDS:-1 2}; do compare "made at random from seed $seed" generated "$seed" "${COUNT:-1500}"; done
if [[ -n ${TEMPLATES:-} ]]; then compare "of real models" folder "$TEMPLATES"; fi
