#!/usr/bin/env bash
# An installation that is moved to another folder runs from there, with its own inputs; module file, recipe and container definition.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

build=$(dirname "$rlaif")
if [[ ! -f $build/cmake_install.cmake ]]; then
  skip 'an installation that is moved' "$rlaif lies in no build folder of CMake"
else
  check 'the program is installed' cmake --install "$build" --prefix "$scratch/first"
  mv "$scratch/first" "$scratch/second"
  prefix=$scratch/second
  check 'and runs where it was moved to' "$prefix/bin/rlaif" --version
  check 'with inputs of its own' bash -c "cd '$scratch' && '$prefix/bin/rlaif' study '$prefix/share/rlaif/inputs/smoke.cfg' --dry-run >'$scratch/plan' && grep -q '^# deck hash' '$scratch/plan'"
  # What a deck leaves out are files of the prefix: without them nothing else takes their place.
  mv "$prefix/share/rlaif/inputs/world.json" "$scratch/world.json"
  check 'and with no others' bash -c "! '$prefix/bin/rlaif' study --run.directory='$scratch/none' '$prefix/share/rlaif/inputs/smoke.cfg' >'$scratch/said' 2>&1; grep -q 'second/share/rlaif/inputs/world.json' '$scratch/said'"
  mv "$scratch/world.json" "$prefix/share/rlaif/inputs/world.json"
  check 'new decks come from there' bash -c "'$prefix/bin/rlaif' new '$scratch/mine' --task canonical && '$prefix/bin/rlaif' study '$scratch/mine/mine.cfg' --dry-run >'$scratch/plan'"
  check 'with documents and scripts' bash -c "[[ -f '$prefix/share/doc/rlaif/DECKS.md' ]] && python3 -B '$prefix/share/rlaif/analysis/metrics_csv.py' --help >/dev/null"
  check 'and completion' bash -c "source '$prefix/share/bash-completion/completions/rlaif' && complete -p rlaif && grep -q '^#compdef rlaif' '$prefix/share/zsh/site-functions/_rlaif'"
  if ! command -v modulecmd >/dev/null; then
    skip 'the module finds the prefix' 'there are no Environment Modules'
  else
    MODULEPATH=$prefix/share/modulefiles modulecmd bash load rlaif >"$scratch/module" 2>"$scratch/said"
    check 'the module finds the prefix' bash -c "source '$scratch/module' && [[ \$(command -v rlaif) == '$prefix/bin/rlaif' && \$RLAIF_INPUTS == '$prefix/share/rlaif/inputs' ]]"
  fi
fi
check 'the Spack recipe is Python' python3 -B -c "compile(open('slurm/spack/packages/rlaif/package.py').read(), 'package.py', 'exec')"
# What the definition of the container calls is there, with the options that it gives.
check 'the container is built by what is there' bash -c "grep -q '^    jobs/setup.sh$' slurm/rlaif.def && [[ -x jobs/setup.sh ]] && grep -q 'option(RLAIF_TESTS' CMakeLists.txt && grep -q 'option(RLAIF_BENCHMARKS' CMakeLists.txt"

# --- decks to begin with ------------------------------------------------------------------------------
expect_error 'a deck for no task' 2 'rlaif new: --task TASK was expected, one of compare, rules' new "$scratch/x"
expect_error 'a deck for an unknown task' 2 "unknown task 'rule'; the nearest known one is 'rules'" new "$scratch/x" --task rule
expect_error 'a model for a task without' 2 'starts from no model' new "$scratch/x" --task compare --model m
for task in $("$rlaif" help new | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
  [[ -f inputs/new/$task.cfg ]] || continue
  check "new: $task" "$rlaif" new "$scratch/new/my_$task" --task "$task"
  file=$scratch/new/my_$task/my_$task.cfg
  if [[ $task == sweep ]]; then
    check "the deck of $task can be planned" "$rlaif" sweep plan "$file" --sweep.directory="$scratch/swept"
  else
    check "the deck of $task resolves" bash -c "cd '$scratch' && '$rlaif' study '$file' --dry-run >'$scratch/plan' && grep -q '^# deck hash' '$scratch/plan' && ! grep -A9 'are not there' '$scratch/plan' | grep '^#   [^ ]* = ' | grep -vq '^#   model.folder = '"
  fi
  check "and has no mark left to fill in" bash -c "! grep -q '@' '$file'"
done
if [[ $(find "$scratch/new" -name 'my_*.cfg' | wc -l) == $(find inputs/new -name '*.cfg' | wc -l) ]]; then
  pass 'every deck of inputs/new is for a task'
else
  fail 'every deck of inputs/new is for a task' "$(find "$scratch/new" inputs/new -name '*.cfg' | tr '\n' ' ')"
fi
expect_error 'nothing is written over' 2 'my_compare.cfg is there already' new "$scratch/new/my_compare" --task compare
check 'a folder of a model stands in the deck' bash -c "'$rlaif' new '$scratch/new/with' --task rules --model '$scratch/some model' && grep -q '^folder = $scratch/some model$' '$scratch/new/with/with.cfg'"
