#!/usr/bin/env bash
# Bad input: one clear line and a non-zero exit, on one rank and on three.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base=$scratch/base
if ! ranks 2 study inputs/smoke.cfg --run.directory="$base" >"$scratch/base.log" 2>&1; then
  fail "the smoke study that the bad inputs start from" "$(tail -n 2 "$scratch/base.log" | tr '\n' ' ')"
  exit 0
fi
copy() { rm -rf "$scratch/$1"; cp -r "$base" "$scratch/$1"; }
forget() { local stage; for stage in "${@:2}"; do rm -f "$scratch/$1/stages/$stage".json; done; }
on() { printf -- '--run.directory=%s' "$scratch/$1"; }

expect_error "unknown key" 2 "unknown key 'ppo.stps'; the nearest known one is 'ppo.steps'" study inputs/smoke.cfg --ppo.stps=3
printf '[ppo]\nstepz = 3\n' >"$scratch/unknown.cfg"
expect_error "unknown key of a deck" 2 "unknown.cfg:2: unknown key 'ppo.stepz'" study "$scratch/unknown.cfg"
expect_error "ill-typed key" 2 "ppo.steps: 'many' was given, an integer was expected" study inputs/smoke.cfg --ppo.steps=many
for wrong in evaluate.block=0 sft.batch=0 ppo.temperature=0 annotate.block=0 reward.batch=0 run.grains=0 judge.ai.slots=0 ppo.minibatch=-1 ppo.clip=nan; do
  expect_error "${wrong%=*} out of its range" 2 "${wrong%=*}: '${wrong#*=}' was given, .* was expected" study inputs/smoke.cfg --"$wrong" "$(on never)"
done
check "nothing was begun for any of them" test ! -e "$scratch/never"
printf '[ppo]\nsteps = 3\n[evaluate]\nblock = 0\n' >"$scratch/range.cfg"
expect_error "a key of a deck out of its range" 2 "range.cfg:4: evaluate.block: '0' was given" study "$scratch/range.cfg" --dry-run
printf '[task]\nsystem = Answer as a C# developer. Use ## headings.\n' >"$scratch/hash.cfg"
check "a number sign within a value is part of it" bash -c "'$rlaif' study '$scratch/hash.cfg' --dry-run | grep -qx 'system = Answer as a C# developer. Use ## headings.'"
printf '[task]\nsystem = Use # for headings\n' >"$scratch/hash.cfg"
expect_error "a sentence that could hold a comment" 2 "hash.cfg:2: task.system: .*quotation marks" study "$scratch/hash.cfg" --dry-run
printf '[run]\nseed = 1\nseed = 2\n' >"$scratch/twice.cfg"
expect_error "a key that stands twice" 2 "twice.cfg:3: the key 'run.seed' stands twice, first in line 2" study "$scratch/twice.cfg"
printf '[run]\nseed\n' >"$scratch/bare.cfg"
expect_error "a line without an equal sign" 2 "bare.cfg:2: 'seed': a line" study "$scratch/bare.cfg"
expect_error "missing deck" 3 "no-such.cfg: no such file" study "$scratch/no-such.cfg"
expect_error "missing file of a key" 2 "task.world: no such file.*nowhere.json" study inputs/smoke.cfg --task.world="$scratch/nowhere.json"
expect_error "unknown command" 2 "unknown command 'stdy'; the nearest known one is 'study'" stdy inputs/smoke.cfg

printf '{"prompt": "Where does Carl live?"}\n{"prompt": \n' >"$scratch/malformed.jsonl"
expect_error "malformed JSON Lines" 3 "malformed.jsonl:2: " generate inputs/smoke.cfg "$(on base)" --io.input="$scratch/malformed.jsonl" --io.output="$scratch/out.jsonl"
printf '{"text": "no prompt"}\n' >"$scratch/nokey.jsonl"
expect_error "a line without its key" 3 "nokey.jsonl:1: .*prompt" generate inputs/smoke.cfg "$(on base)" --io.input="$scratch/nokey.jsonl" --io.output="$scratch/out.jsonl"
: >"$scratch/empty.jsonl"
expect_error "empty prompt set" 3 "empty.jsonl: .*prompt" generate inputs/smoke.cfg "$(on base)" --io.input="$scratch/empty.jsonl" --io.output="$scratch/out.jsonl"
expect_error "empty prompt set of a study" 3 "empty.jsonl: .*prompt" study inputs/smoke.cfg "$(on fresh)" --task.train_prompts="$scratch/empty.jsonl"

python3 -c 'import json; print(json.dumps({"prompt": "Where does Carl live? " * 100})); print(json.dumps({"prompt": "Where does Carl live?"}))' >"$scratch/long.jsonl"
check "a prompt longer than the context is counted, skipped and said" bash -c "
  '$rlaif' generate inputs/smoke.cfg '$(on base)' --io.input='$scratch/long.jsonl' --io.output='$scratch/long-out.jsonl' 2>'$scratch/said' &&
  [[ \$(wc -l <'$scratch/long-out.jsonl') == 1 ]] && grep -q '1 of 2 prompts were longer' '$scratch/said'"

head -n 1 "$scratch/long.jsonl" >"$scratch/all-long.jsonl"
expect_error "prompts that are all too long" 3 "all-long.jsonl: all 1 prompts are too long: the model's context of [0-9]+ tokens less io.max_new_tokens" generate inputs/smoke.cfg "$(on base)" --io.input="$scratch/all-long.jsonl" --io.output="$scratch/out.jsonl"
expect_error "prompts of a study that are all too long" 3 "annotate: all [0-9]+ prompts are too long: .* less annotate.max_new_tokens" study inputs/smoke.cfg "$(on long)" --task.train_prompts="$scratch/all-long.jsonl" --task.rules=inputs/rules_brief.json

printf '[\n{"prompt": "a", "chosen": "b", "rejected": "c"}\n]\n' >"$scratch/array.jsonl"
expect_error "preferences as one array" 3 "array.jsonl:1: .*without an array around them" preferences import "$scratch/array.jsonl" "$scratch/store"
printf '{"prompt": "a", "chosen": "b", "rejected": "c", "score": NaN}\n' >"$scratch/nan.jsonl"
expect_error "preferences with NaN" 3 "nan.jsonl:1: NaN is no JSON" preferences import "$scratch/nan.jsonl" "$scratch/store"
printf '{"prompt": "caf\xe9", "chosen": "b", "rejected": "c"}\n' >"$scratch/latin.jsonl"
expect_error "preferences in another encoding" 3 "latin.jsonl:1: byte 16 of the line is not UTF-8" preferences import "$scratch/latin.jsonl" "$scratch/store"
printf '\xef\xbb\xbf{"prompt": "a", "chosen": "b", "rejected": "c"}\n' >"$scratch/mark.jsonl"
check "preferences with a byte order mark" "$rlaif" preferences import "$scratch/mark.jsonl" "$scratch/store-mark"

copy weights; forget weights reward-ai
truncate -s -100 "$scratch/weights/models/sft/model.safetensors"
expect_error "truncated safetensors" 3 "sft/model.safetensors: " reward inputs/smoke.cfg "$(on weights)"
copy lying; forget lying reward-ai
python3 - "$scratch/lying/models/sft/model.safetensors" <<'P'
import json, struct, sys
data = open(sys.argv[1], "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
name = next(k for k in header if k != "__metadata__")
header[name]["shape"] = [9999, 9999]
text = json.dumps(header).encode()
open(sys.argv[1], "wb").write(struct.pack("<Q", len(text)) + text + data[8 + size:])
P
expect_error "lying safetensors" 3 "sft/model.safetensors: " reward inputs/smoke.cfg "$(on lying)"

copy tokenizer; forget tokenizer reward-ai; unlisted "$scratch/tokenizer"
python3 - "$scratch/tokenizer/models/tokenizer.json" <<'P'
import json, sys
t = json.load(open(sys.argv[1]))
top = max(list(t["model"]["vocab"].values()) + [a["id"] for a in t["added_tokens"]])
for i in range(5):
    t["added_tokens"].append({"id": top + 1 + i, "content": f"<|extra{i}|>", "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True})
json.dump(t, open(sys.argv[1], "w"))
P
expect_error "tokenizer that does not fit the model" 3 "the tokenizer does not fit the model" reward inputs/smoke.cfg "$(on tokenizer)"

copy shard; forget shard reward-ai; unlisted "$scratch/shard"
python3 - "$scratch/shard/preferences/ai/shard-000001.h5" <<'P'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) // 2] ^= 0x40
open(sys.argv[1], "wb").write(data)
P
expect_error "the study refuses to train on a damaged shard" 3 "shard-000001.h5" study inputs/smoke.cfg "$(on shard)"
check "preferences validate names a damaged shard" bash -c "! '$rlaif' preferences validate '$scratch/shard/preferences/ai' >'$scratch/said' 2>&1 && grep -q 'shard-000001.h5' '$scratch/said'"

expect_error "run directory of another deck" 3 "is the run directory of another deck.*ppo.steps \(there: 8, here: 9\)" study inputs/smoke.cfg "$(on base)" --ppo.steps=9
expect_error "stage alone before the one it needs" 2 "stage tokenizer is not done .*rlaif sft" annotate inputs/smoke.cfg "$(on nothing)"

# A reward model that says NaN: its scores are refused, not trained on.
copy nan; forget nan ppo-rlaif; unlisted "$scratch/nan"
python3 - "$scratch/nan/models/reward-ai/model.safetensors" <<'P'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
begin, end = header["score.weight"]["data_offsets"]
for at in range(begin, end, 4):
    data[8 + size + at:8 + size + at + 4] = struct.pack("<f", float("nan"))
open(sys.argv[1], "wb").write(data)
P
rm -rf "$scratch/nan/checkpoints"
expect_error "a score that is not a number" 3 "(not finite|not a number|finite)" ppo inputs/smoke.cfg "$(on nan)"

# A judge whose weights are NaN: every verdict gets a status of its own and none is trained on.
copy nanjudge; forget nanjudge annotate; unlisted "$scratch/nanjudge"
rm -rf "$scratch/nanjudge/preferences"
python3 - "$scratch/nanjudge/models/judge/model.safetensors" <<'P'
import json, struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
begin, end = header["model.norm.weight"]["data_offsets"]
for at in range(begin, end, 4):
    data[8 + size + at:8 + size + at + 4] = struct.pack("<f", float("nan"))
open(sys.argv[1], "wb").write(data)
P
check "a verdict that is not a number is a status" bash -c "
  '$rlaif' annotate inputs/smoke.cfg '$(on nanjudge)' && '$rlaif' preferences show '$scratch/nanjudge/preferences/ai' | grep -q 'not_a_number'"
forget nanjudge reward-ai; unlisted "$scratch/nanjudge"
expect_error "no usable verdict" 3 "preferences/ai: holds no preference with a usable verdict" reward inputs/smoke.cfg "$(on nanjudge)"

# Ranks that see different decks.
mkdir -p "$scratch/decks"
cp inputs/smoke.cfg "$scratch/decks/deck-0.cfg"
sed 's/^prompts_per_step = 24/prompts_per_step = 30/' inputs/smoke.cfg >"$scratch/decks/deck-1.cfg"
cp inputs/*.txt "$scratch/decks/"
run_ranks 2 bash -c "exec '$rlaif' study '$scratch/decks/deck-'\$OMPI_COMM_WORLD_RANK.cfg '$(on decks-run)'" >"$scratch/out" 2>&1
code=$?
if [[ $code == 2 ]] && grep -Eq '^rlaif: rank 1: .*(deck).*ppo.prompts_per_step' "$scratch/out"; then
  pass "ranks with different decks"
else
  fail "ranks with different decks" "exit code $code: $(head -c 300 "$scratch/out" | tr '\n' ' ')"
fi

check "more ranks than prompts works" bash -c "
  source tests/end_to_end/lib.sh
  ranks 3 generate inputs/smoke.cfg '$(on base)' --io.input='$scratch/long.jsonl' --io.output='$scratch/few.jsonl'"

# Disk full while writing: a tiny file system of its own. What was computed is kept, and the run goes on elsewhere.
mkdir -p "$scratch/tiny"
if [[ $(id -u) == 0 ]] && mount -t tmpfs -o size=600k tmpfs "$scratch/tiny" 2>/dev/null; then
  "$rlaif" study inputs/smoke.cfg --run.directory="$scratch/tiny/run" >"$scratch/out" 2>&1
  code=$?
  cp -r "$scratch/tiny/run" "$scratch/full"
  umount "$scratch/tiny"
  if [[ $code == 4 ]] && grep -Eq '^rlaif: .*tiny/run/.*No space left on device' "$scratch/out"; then
    pass "a full disk is named with file and cause"
  else
    fail "a full disk is named with file and cause" "exit code $code: $(grep '^rlaif' "$scratch/out" | tail -n 2 | tr '\n' ' ')"
  fi
  check "a run that a full disk ended goes on where there is room" bash -c \
    "source tests/end_to_end/lib.sh; '$rlaif' study inputs/smoke.cfg '$(on full)' && same_results '$scratch/full' '$base'"
else
  skip "a full disk is named with file and cause" "mounting a tmpfs is not allowed here"
  skip "a run that a full disk ended goes on where there is room" "mounting a tmpfs is not allowed here"
fi
# Locks: one that is held is said with who holds it; a file system that has none is said, and is no other job.
exec 9>"$base/run.lock"
flock -n 9
expect_error "a second job on one run directory, the first of which has not named itself" 4 "another process holds this run directory: .*run.lock is locked" study inputs/smoke.cfg "$(on base)"
printf 'host elsewhere, process 12, Slurm job 7\n' >&9
expect_error "a second job on one run directory" 4 "another job holds this run directory: host elsewhere, process 12, Slurm job 7$" study inputs/smoke.cfg "$(on base)"
SLURM_JOB_ID=7 expect_error "a second process of one job on its run directory" 4 "another process of this job holds this run directory: host elsewhere, process 12, Slurm job 7$" study inputs/smoke.cfg "$(on base)"
exec 9>&-
if cc -shared -fPIC -o "$scratch/failing_flock.so" tests/end_to_end/failing_flock.c 2>/dev/null; then
  for error in 38 524 37 95 22; do
    check "a run directory without file locks (errno $error) is said and gone on with" bash -c "
      FLOCK_ERRNO=$error LD_PRELOAD='$scratch/failing_flock.so' '$rlaif' study inputs/smoke.cfg '$(on base)' 2>'$scratch/said' && grep -q 'warning: .*/base: this file system has no file locks (' '$scratch/said'"
  done
  check "a lock that fails otherwise is said by its cause" bash -c "
    FLOCK_ERRNO=5 LD_PRELOAD='$scratch/failing_flock.so' '$rlaif' study inputs/smoke.cfg '$(on base)' >'$scratch/said' 2>&1; [[ \$? == 4 ]] && grep -q 'run.lock: cannot be locked: Input/output error' '$scratch/said'"
else
  skip "a run directory without file locks is said and gone on with" "no C compiler for the stand-in"
fi
