#!/usr/bin/env bash
# The scripts of analysis/ over a run directory made for the purpose.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
exec python3 -B "$root/tests/end_to_end/report_page.py"
