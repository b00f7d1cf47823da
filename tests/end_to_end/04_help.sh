#!/usr/bin/env bash
# What the program says of itself: commands, keys, and the completion of both that it writes for shells.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# says NAME PATTERN ARGUMENTS...: the program succeeds and prints a line that matches
says() {
  local name=$1 pattern=$2
  shift 2
  if "$rlaif" "$@" >"$scratch/said" 2>&1 && grep -Eq -- "$pattern" "$scratch/said"; then pass "$name"; else
    fail "$name" "no line matches '$pattern': $(head -c 300 "$scratch/said" | tr '\n' ' ')"
  fi
}

says 'help has headings' '^models and judges on your own files$' --help
says 'help has examples' '^  mpirun -n 2 rlaif study' help
says 'help of a command' '^  --split SHARE +share of the prompts' help convert
says 'help of a command with a deck has its sections' '^\[arm.rlaif\]  a policy that is trained' study inputs/smoke.cfg --help
# What stands in decks and on command lines: a key each of a section, a kind, a maker, an algorithm, an arm and a round.
while read -r key pattern; do
  says "help $key" "$pattern" help "$key"
done <<'P'
run.grains ^run\.grains$
judge.ai.template kind = local$
judge.people.flip_rate kind = annotators$
judge.x.concurrency requests, from 1 to 4096$
data.lessons.file ^data\.NAME\.file$
ppo.kl_target nats, at least 0$
arm.rlaif.beta over      dpo\.beta
round.r1.start ^round\.NAME\.start$
evaluate.by ^evaluate\.by$
cap_usd ^cost\.cap_usd$
P
says 'help of a section' '^  targets \(' help '[lora]'
expect_error 'a misspelt key' 2 "unknown key, section or command 'ppo.kl_coeficient'; the nearest known one is 'ppo.kl_coefficient'" help ppo.kl_coeficient
expect_error 'a flag that a command does not declare' 2 'rlaif info has no flag --dry-run' info --dry-run
expect_error 'completion for another shell' 2 "unknown shell 'fish'; the nearest known one is" completion fish

# completed LINE: what bash offers at the end of a line
completed() {
  bash -c 'source <("$0" completion bash) || exit 1
    COMP_LINE=$1 COMP_POINT=${#1}
    read -ra COMP_WORDS <<<"$1"
    [[ $1 != *" " ]] || COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _rlaif || true  # compopt speaks to a line that is being typed alone
    printf "%s\n" "${COMPREPLY[@]}"' "$rlaif" "$1"
}
# offers NAME LINE WORD...: these and no others, in any order
offers() {
  local name="completion: $1" line=$2
  shift 2
  completed "$line" 2>&1 | sort | tr '\n' ' ' >"$scratch/offered"
  if [[ $(cat "$scratch/offered") == "$(printf '%s\n' "$@" | sort | tr '\n' ' ')" ]]; then pass "$name"; else
    fail "$name" "'$line' offers: $(head -c 300 "$scratch/offered")"
  fi
}
offers 'a command' 'rlaif ann' annotate
offers 'commands that begin alike' 'rlaif co' convert cost constitution completion
offers 'what a command does' 'rlaif sweep ' plan collect
offers 'a flag, and keys' 'rlaif spotcheck export --co' --count --cost.prices= --cost.assumptions= --cost.cap_usd=
offers 'a key' 'rlaif study inputs/demo.cfg --ppo.kl_c' --ppo.kl_coefficient=
offers 'a key of judges by any name' 'rlaif study inputs/demo.cfg --judge.*.prin' '--judge.*.principles=' '--judge.*.principle_use='
offers 'a value' 'rlaif study inputs/demo.cfg --run.device=c' cpu cuda
offers 'true and false' 'rlaif study inputs/demo.cfg --run.shard_optimizer=t' true
offers 'files' 'rlaif study inputs/smoke.c' inputs/smoke.cfg
offers 'only keys that a command reads' 'rlaif world write folder --ppo.' ''
if command -v zsh >/dev/null; then
  "$rlaif" completion zsh >"$scratch/_rlaif"
  check 'the completion for zsh is read by it' zsh -fc "autoload -Uz compinit && compinit -u -d '$scratch/dump' && source '$scratch/_rlaif' && [[ \$_comps[rlaif] == _rlaif ]]"
else
  skip 'the completion for zsh is read by it' 'there is no zsh'
fi
