#!/usr/bin/env bash
# Formats all sources as tests/end_to_end/01_format.sh expects them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
jobs/setup.sh --tests
find include src tests \( -name '*.cpp' -o -name '*.hpp' \) -print0 | LC_ALL=C sort -z | xargs -0 .venv-tests/bin/clang-format -i
