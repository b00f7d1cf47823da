#!/usr/bin/env bash
# Sources stand as clang-format of one version leaves them: other versions differ from it in small things.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
name='sources are formatted'
wanted=19.1.7
formatter=.venv-tests/bin/clang-format
if [[ ! -x $formatter || $("$formatter" --version 2>/dev/null) != *" version $wanted"* ]]; then
  printf 'SKIP %s: no clang-format %s in .venv-tests (jobs/setup.sh --tests)\n' "$name" "$wanted"
  exit 0
fi
if [[ ! -s .git-blame-ignore-revs ]] || ! grep -qE '^[0-9a-f]{40}$' .git-blame-ignore-revs; then
  printf 'SKIP %s: the tree has not been formatted once (.git-blame-ignore-revs names no commit)\n' "$name"
  exit 0
fi
mapfile -t sources < <(find include src tests -name '*.cpp' -o -name '*.hpp' | LC_ALL=C sort)
if output=$("$formatter" --dry-run -Werror "${sources[@]}" 2>&1); then
  printf 'PASS %s\n' "$name"
else
  printf 'FAIL %s: %s (tests/format.sh mends it)\n' "$name" "$(grep -m 1 'error:' <<<"$output")"
  exit 1
fi
