#!/usr/bin/env bash
# Who includes whom, and that every public header compiles alone.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
status=0
for check in include_edges headers_alone; do
  python3 -B "$root/tests/end_to_end/$check.py" "$root" || status=1
done
exit $status
