#!/usr/bin/env bash
# Verdicts a second through a local server at 64 connections, against what wrk reaches with the same payload, and the time
# to open 100,000 paid answers.
#
# Shows: medians of three turns of each, taken by turns, their ratio, and the peak memory; for three servers: one that compresses
#   its replies as clients ask it to (same headers for both), one that answers at once and plainly (what a verdict costs here), and one
#   that thinks for 20 ms (a judge far faster than any model).
# Costs: about a minute and a half. Close other programs. Needs wrk (apt-get install wrk).
#
#   jobs/bench_judge.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1:-} in
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
command -v wrk >/dev/null || { printf 'bench_judge: wrk is not installed: apt-get install wrk\n' >&2; exit 1; }
jobs/setup.sh --tests
jobs/build.sh all

out=build/bench/judge
rm -rf "$out"
mkdir -p "$out"
bench=build/release/bench/judge_bench
RLAIF_BENCH_PAYLOAD=$out/payload "$bench" serve "$out/port" &
server=$!
trap 'kill $server' EXIT
while [[ ! -s $out/port ]]; do sleep 0.05; done
export RLAIF_BENCH_JUDGE_URL=http://127.0.0.1:$(cat "$out/port")
cat >"$out/post.lua" <<'L'
local file = io.open(os.getenv("PAYLOAD"), "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept-Encoding"] = "deflate, gzip, br, zstd"
wrk.headers["Authorization"] = "Bearer none"
wrk.headers["Idempotency-Key"] = "rlaif-00112233445566778899aabbccddeeff"
L
for turn in 1 2 3; do
  "$bench" --benchmark_filter=verdicts --benchmark_out="$out/judge-$turn.json" --benchmark_out_format=json >/dev/null 2>&1
  for path in v1 plain/v1 thinking/v1; do
    PAYLOAD=$out/payload wrk -t1 -c64 -d4s -s "$out/post.lua" "$RLAIF_BENCH_JUDGE_URL/$path/chat/completions" >"$out/wrk-${path%%/*}-$turn.log"
  done
done
"$bench" --benchmark_filter=open_answers --benchmark_out="$out/open.json" --benchmark_out_format=json >/dev/null 2>&1
python3 - "$out" <<'P'
import json, pathlib, re, statistics, sys
out = pathlib.Path(sys.argv[1])
spread = lambda values: f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"
turns = [json.loads((out / f"judge-{turn}.json").read_text())["benchmarks"] for turn in (1, 2, 3)]
for name, server in (("v1", "compresses"), ("plain", "answers at once"), ("thinking", "thinks for 20 ms")):
    rows = [row for turn in turns for row in turn if row["name"].startswith(f"verdicts/{name}/")]
    ours = [row["items_per_second"] for row in rows]
    wrk = [float(re.search(r"Requests/sec:\s*([\d.]+)", (out / f"wrk-{name}-{turn}.log").read_text())[1]) for turn in (1, 2, 3)]
    print(f"verdicts a second, 64 connections, a server that {server}: {spread(ours)}; wrk {spread(wrk)}; "
          f"ratio {statistics.median(ours) / statistics.median(wrk):.2f}; peak {max(row['peak_mib'] for row in rows):.0f} MiB")
opened = json.loads((out / "open.json").read_text())["benchmarks"][0]
print(f"100,000 paid answers open in {opened['real_time'] / 1000:.2f} s (wanted under 2 s); peak {opened['peak_mib']:.0f} MiB")
P
