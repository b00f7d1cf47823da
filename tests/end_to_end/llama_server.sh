#!/usr/bin/env bash
# A real server that speaks OpenAI's protocol with log-probabilities: SmolLM2 behind llama.cpp's, and the same weights as a judge
# in this process, on the same pairs and prompts, in both orders. Their P(first) differ by the server's arithmetic only.
# Environment: LLAMA_PYTHON, a Python with llama-cpp-python and its server's requirements; LLAMA_GGUF, the weights for it (float32:
# analysis/bench_peers.py f32); SMOLLM2, the model's folder; PAIRS, how many (default 200).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

name="a judge behind llama.cpp's server and in this process"
for needed in LLAMA_PYTHON LLAMA_GGUF SMOLLM2; do
  [[ -n ${!needed:-} ]] || { skip "$name" "$needed names none"; exit 0; }
done
if [[ ! -f $shared/data/pairs/llmbar.jsonl ]]; then
  skip "$name" "there are no pairs in $shared/data"
  exit 0
fi
port=$((20000 + $$ % 20000))
"$LLAMA_PYTHON" -m llama_cpp.server --model "$LLAMA_GGUF" --host 127.0.0.1 --port $port --logits_all true --n_ctx 1024 --n_threads 1 \
  --n_threads_batch 1 >"$scratch/server.log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; rm -rf "$scratch"' EXIT
for _ in {1..300}; do
  curl -s "http://127.0.0.1:$port/v1/models" >/dev/null && break
  kill -0 $server 2>/dev/null || { skip "$name" "the server does not start: $(tail -n 1 "$scratch/server.log")"; exit 0; }
  sleep 0.2
done

python3 - "$shared/data/pairs/llmbar.jsonl" "$scratch/pairs.jsonl" "${PAIRS:-200}" <<'P'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
rows = [row for row in rows if len(row["prompt"]) + len(row["response_a"]) + len(row["response_b"]) < 700][: int(sys.argv[3])]
with open(sys.argv[2], "w") as out:
    for row in rows:
        out.write(json.dumps({key: row[key] for key in ("prompt", "response_a", "response_b")}) + "\n")
print(len(rows), "pairs")
P
system="You compare two responses and answer with one letter."
{ printf '%%%% answer: letter\n%%%% verdicts: A B\n%%%% system\n%s\n%%%% user\n' "$system"; sed '/^%%/d' inputs/judge_templates/zero_shot.txt; } >"$scratch/style.txt"
cat >"$scratch/deck.cfg" <<P
[study]
judges = server here
arms =
[task]
system = $system
[model]
folder = $(realpath "$SMOLLM2")
[sft]
examples = 0
register_examples = 0
[judge.server]
kind = openai
url = http://127.0.0.1:$port/v1
model = smollm2
style = $scratch/style.txt
price = local-judge
output_limit = max_tokens
max_output_tokens = 1
top_logprobs = 500
least_label_mass = 0
concurrency = 1
attempt_seconds = 300
[judge.here]
kind = local
model = sft
template = $root/inputs/judge_templates/zero_shot.txt
price = local-judge
P
check "$name: the model takes its place in a run" "$rlaif" sft "$scratch/deck.cfg" --run.directory="$scratch/run"
for judge in server here; do
  check "$name: $judge" "$rlaif" judge "$scratch/deck.cfg" --io.judge=$judge --io.input="$scratch/pairs.jsonl" --io.output="$scratch/$judge.jsonl" \
    --run.directory="$scratch/run"
done
check "$name agree" python3 - "$scratch" <<'P'
import json, sys
server, here = ([json.loads(line) for line in open(f"{sys.argv[1]}/{judge}.jsonl")] for judge in ("server", "here"))
both = [(a, b) for a, b in zip(server, here) if a["status"] == b["status"] == "ok"]
differences = [abs(x - y) for a, b in both for x, y in zip(a["p_a_by_order"], b["p_a_by_order"])]
print(f"{len(both)} of {len(server)} pairs answered by both; |P(first) difference| mean {sum(differences) / len(differences):.2e}, "
      f"largest {max(differences):.2e}; statuses {sorted({a['status'] for a in server})} {sorted({b['status'] for b in here})}")
assert len(both) > 0.9 * len(server)
assert max(differences) < 0.02
P
cat "$scratch/out"
