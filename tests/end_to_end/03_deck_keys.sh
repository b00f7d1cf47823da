#!/usr/bin/env bash
# The section "Every key" of DECKS.md is what the program says: keys, defaults, ranges and meanings of every section, kind of
# judge, maker, algorithm and command. analysis/deck_keys.py writes it. The decks of the documents resolve.
#
#   UPDATE=1 tests/end_to_end/03_deck_keys.sh   writes it
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [[ -n ${UPDATE:-} ]]; then python3 analysis/deck_keys.py "$rlaif" DECKS.md; fi
# changed NAME EXPRESSION: a DECKS.md that is not what the program says
changed() {
  sed "$2" DECKS.md >"$scratch/$1.md"
  if cmp -s DECKS.md "$scratch/$1.md"; then fail "a DECKS.md with another $1" 'nothing was changed'; fi
}
# shellcheck disable=SC2016  # marks of Markdown, not of the shell
{
  changed default 's/^| `redraws` | `3` |/| `redraws` | `4` |/'
  changed key '/^| `flip_rate` /d'
  changed range 's/from 0\.5 to 1 | confidence/from 0 to 1 | confidence/'
  changed section 's/^### \[data\.NAME\] with `maker = file`/### [data]/'
}
python3 analysis/deck_keys.py "$rlaif" DECKS.md "$scratch"/{default,key,range,section}.md --check >"$scratch/said" 2>&1
if grep -q '^DECKS.md\|Error\|^deck_keys' "$scratch/said" || [[ ! -s $scratch/said ]]; then
  fail 'DECKS.md: every key is as the program has it' "$(head -c 400 "$scratch/said") (UPDATE=1 tests/end_to_end/03_deck_keys.sh writes it)"
else
  pass 'DECKS.md: every key is as the program has it'
fi
for what in default key range section; do
  check "a DECKS.md with another $what is found" grep "^$scratch/$what.md: 'Every key' is not what the program says" "$scratch/said"
done

# Decks of DECKS.md and README.md stand there whole: they resolve as they are, beside the decks of inputs/ and with files of the kind
# that they say the user brings.
cp -r inputs "$scratch/inputs"
cp tests/decks/recorded.jsonl "$scratch/inputs/choices.jsonl"
cp tests/decks/demonstrations.jsonl "$scratch/inputs/lessons.jsonl"
# A deck is a block of ini; its first line names it, README's is mine.cfg.
awk -v folder="$scratch/inputs" '
  /^```ini$/ { inside = 1; file = ""; next }
  /^```$/ { inside = 0 }
  inside && file == "" { file = folder "/" ($0 ~ /^# [a-z_]+\.cfg: / ? substr($2, 1, length($2) - 1) : "mine.cfg"); print file }
  inside { print > file }' DECKS.md README.md >"$scratch/decks"
if [[ $(wc -l <"$scratch/decks") -ge 11 ]]; then pass 'the documents have decks'; else fail 'the documents have decks' "$(cat "$scratch/decks")"; fi
while read -r deck; do
  name="the deck $(basename "$deck") of the documents resolves"
  if grep -q '^\[sweep\]' "$deck"; then
    check "$name" "$rlaif" sweep plan "$deck" --sweep.directory="$scratch/sweep"
  else
    check "$name" "$rlaif" study "$deck" --dry-run --run.directory="$scratch/none"
  fi
done <"$scratch/decks"
words=$(wc -w <README.md)
if ((words <= 750)); then pass 'README.md has at most 750 words'; else fail 'README.md has at most 750 words' "it has $words"; fi
