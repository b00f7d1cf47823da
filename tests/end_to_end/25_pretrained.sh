#!/usr/bin/env bash
# A study that starts from a model's folder: low-rank adapters, shared lower layers, a judge of rules, and what a plan of
# memory refuses. The folder is what a smoke study leaves behind, so nothing is fetched.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base=$scratch/base
if ! ranks 2 study inputs/smoke.cfg --run.directory="$base" >"$scratch/base.log" 2>&1; then
  fail "the smoke study whose model is started from" "$(tail -n 2 "$scratch/base.log" | tr '\n' ' ')"
  exit 0
fi
folder=$scratch/folder
cp -r "$base/models/sft" "$folder"

small=(--model.folder="$folder" --task.system=Brief. --lora.first_layer=1 --run.checkpoint_every_steps=2
  --annotate.prompts=16 --annotate.heldout_prompts=8 --annotate.block=4 --annotate.max_new_tokens=20
  --ppo.steps=3 --ppo.prompts_per_step=8 --ppo.minibatch=4 --ppo.max_new_tokens=20
  --evaluate.prompts=8 --evaluate.samples=2 --evaluate.block=4 --evaluate.max_new_tokens=20 --evaluate.resamples=100)
study() {  # study RANKS DIRECTORY [ARGUMENTS]
  local count=$1 directory=$2
  shift 2
  ranks "$count" study inputs/smollm2.cfg "${small[@]}" --run.directory="$scratch/$directory" "$@"
}

check "adapters over a pretrained folder, 2 ranks" study 2 two
check "adapters over a pretrained folder, 1 rank" study 1 one
check "1 and 2 ranks give the same bytes" same_results "$scratch/one" "$scratch/two"
check "the optimizer's state shared out over 2 ranks gives the same bytes" study 2 sharded --run.shard_optimizer=true
check "sharded and whole are the same" same_results "$scratch/sharded" "$scratch/two"
check "layers computed again going back" study 2 recomputed --run.checkpoint_activations=true
check "computed again and kept are the same" same_results "$scratch/recomputed" "$scratch/two"
check "a value model with an adapter of its own" study 2 valued --ppo.value_lora_rank=8 --ppo.value_lora_alpha=16
check "a batch in parts of 200 tokens" study 2 parts --run.micro_batch_tokens=200
check "all weights trained from a folder" study 2 full --ppo.lora_rank=0 --reward.lora_rank=0 --lora.first_layer=0
check "the run holds adapters and no copy of the base" bash -c "
  cd '$scratch/two/models' && [[ -f rlaif/adapter_model.safetensors && -f reward-rules/adapter_config.json && ! -e rlaif/model.safetensors && ! -e sft ]]"
check "rules are reported one by one" python3 - "$scratch/two/report/results.json" <<'P'
import json, sys
r = json.load(open(sys.argv[1]))
assert r["yardstick"] == "rules" and "all_rules" in r["marks"] and len(r["marks"]) == 9, r["marks"]
for arm in ("sft", "rlaif"):
    for key in r["marks"] + ["utility", "specific", "specificity", "kl"]:
        assert isinstance(r["arms"][arm][key], float), (arm, key)
assert r["arms"]["sft"]["kl"] == 0.0
assert r["judges"]["rules"]["gold_agreement"] == 1.0
P
check "its report is one page" bash -c "python3 analysis/report.py '$scratch/two' && grep -q 'Rule by rule' '$scratch/two/report/report.html'"
check "a generation of the tuned policy" bash -c "
  '$rlaif' generate inputs/smollm2.cfg ${small[*]@Q} --run.directory='$scratch/two' --io.model=rlaif --io.input=inputs/everyday_heldout.jsonl \
    --io.output='$scratch/answers.jsonl' --io.max_new_tokens=8 && [[ \$(wc -l <'$scratch/answers.jsonl') == 99 ]]"

printf '{"prompt": "What is 2 plus 3?", "response": "2 plus 3 is 5."}\n%.0s' {1..40} >"$scratch/demonstrations.jsonl"
check "supervised fine-tuning on demonstrations of a file" ranks 2 sft inputs/smollm2.cfg "${small[@]}" --run.directory="$scratch/taught" \
  --sft.file="$scratch/demonstrations.jsonl" --sft.batch=8

# --- bad input
refused() { rm -rf "$scratch/refused"; expect_error "$1" "$2" "$3" study inputs/smollm2.cfg "${small[@]}" --run.directory="$scratch/refused" "${@:4}"; }
refused "adapter targets that match nothing" 2 "target \"w_proj\" matches no projection of this model" --lora.targets=w_proj
refused "an adapter above the last layer" 2 "lora.first_layer: at most 1 was expected, as the policy has 2 layers; found 2" --lora.first_layer=2
refused "a batch that cannot fit" 2 "stage .* needs about .* a rank, of which .*plan.memory_gib" --plan.memory_gib=0.0001
refused "a folder that is not there" 2 "model.folder: no such file or folder" --model.folder="$scratch/nowhere"
printf '{"name": "x", "rules": [{"rule": "max_wordz", "weight": 1}]}' >"$scratch/unknown.json"
refused "a file of rules with an unknown rule" 3 "unknown.json: key 'rules\[0\]\.rule': .*nearest" --task.rules="$scratch/unknown.json"
cp -r "$folder" "$scratch/strange"
printf '{"chat_template": "{{ messages[0].content | shout }}"}\n' >"$scratch/strange/tokenizer_config.json"
refused "a chat template with a filter that nobody knows" 3 "strange/tokenizer_config.json:1: chat template: the filter 'shout' is not known" --model.folder="$scratch/strange"
for field in 'model_type:"mamba"' 'quantization_config:{"bits": 4}' 'hidden_act:"relu"'; do
  rm -rf "$scratch/strange"
  cp -r "$folder" "$scratch/strange"
  python3 - "$scratch/strange/config.json" "$field" <<'P'
import json, sys
config = json.load(open(sys.argv[1]))
key, _, value = sys.argv[2].partition(":")
config[key] = json.loads(value)
json.dump(config, open(sys.argv[1], "w"))
P
  refused "a model with ${field%%:*} that is not covered" 3 "strange/config.json: .*${field%%:*}" --model.folder="$scratch/strange"
done
cp -r "$scratch/two" "$scratch/other"
rm "$scratch/other/stages/evaluate.json"
unlisted "$scratch/other"
python3 - "$scratch/other/models/rlaif/adapter_config.json" <<'P'
import json, sys
config = json.load(open(sys.argv[1]))
config["use_dora"] = True
json.dump(config, open(sys.argv[1], "w"))
P
expect_error "an adapter of another kind" 3 "rlaif/adapter_config.json: .*use_dora" evaluate inputs/smollm2.cfg "${small[@]}" --run.directory="$scratch/other"
