#!/usr/bin/env bash
# What every deck of inputs/ comes to: its hash, its stages and what they will need, as tests/fixtures/plans has them; of demo.cfg
# every key. A deck whose hash has changed begins its runs anew: CHANGELOG.md says so.
#
#   UPDATE=1 tests/end_to_end/02_decks.sh   writes the fixtures
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
plans=tests/fixtures/plans

# planned DECK: the comments of the dry run; of the demo, the keys too
planned() {
  "$rlaif" study "inputs/$1.cfg" --dry-run --run.directory="$scratch/none" --plan.ranks=2 >"$scratch/plan" || return 1
  sed -i 's/, run directory .*//; /^directory = /d' "$scratch/plan"
  if [[ $1 == demo ]]; then cat "$scratch/plan"; else grep '^#' "$scratch/plan"; fi
}

for deck in inputs/*.cfg; do
  name=$(basename "$deck" .cfg)
  if grep -q '^\[sweep\]' "$deck"; then
    check "$name: its cells can be planned" bash -c "'$rlaif' sweep plan '$deck' --sweep.directory='$scratch/$name' && ls '$scratch/$name/decks/'*.cfg"
    continue
  fi
  if [[ -n ${UPDATE:-} ]]; then planned "$name" >"$plans/$name.txt"; fi
  check "$name: its plan is the one on record" bash -c "set -o pipefail; $(declare -f planned); rlaif='$rlaif' scratch='$scratch'; planned '$name' | diff '$plans/$name.txt' -"
done
for plan in "$plans"/*.txt; do
  name=$(basename "$plan" .txt)
  [[ -f inputs/$name.cfg ]] || fail "$plan: is of a deck that is there" "inputs/$name.cfg is not"
done
