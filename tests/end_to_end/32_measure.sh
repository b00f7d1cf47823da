#!/usr/bin/env bash
# What a machine does, and the model of how a study scales that goes by it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

measure() { ranks "$1" info --measure "$scratch/here" --output "$scratch/info-$1.json" >"$scratch/table-$1"; }
check "a machine is measured by one rank" measure 1
check "and by two" measure 2
check "messages, products, memory and files" python3 - "$scratch" <<'P'
import json, os, sys
one, two = (json.load(open(f"{sys.argv[1]}/info-{ranks}.json")) for ranks in (1, 2))
assert "point_to_point" not in one and "gradient_sum" not in one and one["ranks"] == 1
link, = two["point_to_point"]
assert link["between"] == [0, 1] and link["same_host"] is True and two["hosts"] == 1
for times in (link, two["gradient_sum"]):
    sizes = [size for size, _ in times["times"]]
    assert sizes == sorted(sizes) and sizes[0] == 4 and sizes[-1] == 16 << 20, sizes
    assert all(seconds > 0 for _, seconds in times["times"]) and times["times"][-1][1] > times["times"][0][1]
    assert 0 < times["latency_seconds"] < 0.1 and 1e6 < times["bytes_per_second"] < 1e12, times
for measured, ranks in ((one, 1), (two, 2)):
    assert len(measured["product"]["gflops"]) == len(measured["memory"]["bytes_per_second"]) == ranks
    assert all(0.1 < value < 1e4 for value in measured["product"]["gflops"])
    assert measured["files"]["bytes"] == 32 << 20 and measured["files"]["write_sync_seconds"] > measured["files"]["small_write_sync_seconds"] > 0
assert os.listdir(f"{sys.argv[1]}/here") == []
P
check "are shown as a table" bash -c "grep -q 'rank 0 to rank 1, one node' '$scratch/table-2' && grep -q 'sum of gradients, 2 ranks' '$scratch/table-2' && grep -Eq 'products +[0-9.]+ GFLOP/s' '$scratch/table-1'"
: >"$scratch/file"
expect_error "a folder that cannot be written" 4 "file/measure-|file" info --measure "$scratch/file/below"
expect_error "an output without a measurement" 2 "rlaif info: --output goes with --measure" info --output "$scratch/none.json"
python3 -B tests/end_to_end/scaling_model.py "$scratch"
