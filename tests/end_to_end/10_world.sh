#!/usr/bin/env bash
# The closed world from the command line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

gold=$shared/world/gold_vectors.jsonl
if [[ -f $gold ]]; then
  check "world score equals the gold vectors to the last digit" bash -c \
    "'$rlaif' world score '$gold' >'$scratch/scored.jsonl' && python3 - '$gold' '$scratch/scored.jsonl' <<'P'
import json, sys
want, got = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
assert len(want) == len(got) == 60, (len(want), len(got))
for w, g in zip(want, got):
    assert w == g and all(repr(w[k]) == repr(float(g[k])) for k in 'UTC'), (w, g)
P"
else
  skip "world score equals the gold vectors to the last digit" "no $gold"
fi
check "world write gives 2774 and 630 prompts" bash -c \
  "'$rlaif' world write '$scratch/world' && [[ \$(wc -l <'$scratch/world/prompts_train.jsonl') == 2774 && \$(wc -l <'$scratch/world/prompts_heldout.jsonl') == 630 ]]"
check "help needs no MPI and names every command" bash -c \
  "'$rlaif' --help | grep -q 'study' && '$rlaif' ppo --help | grep -q -- '--ppo.kl_coefficient (0.2) \[1/nat, at least 0\]'"
check "info prints versions" bash -c "'$rlaif' info | grep -q '^libtorch '"
