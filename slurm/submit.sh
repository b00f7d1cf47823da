#!/usr/bin/env bash
# Checks a study and submits it; prints the job's number and where to look.
#
#   slurm/submit.sh inputs/demo.cfg                                two CPU ranks on one node, an hour
#   slurm/submit.sh -N 2 --ntasks-per-node=8 -t 04:00:00 inputs/demo.cfg --run.seed=1
#   slurm/submit.sh --check inputs/demo.cfg                        the checks alone
#   slurm/submit.sh -N 1 --sweep runs/sweep                        the cells of a planned sweep that are not done, as an array
#   RLAIF_DEVICE=cuda slurm/submit.sh --gpus-per-node=4 --ntasks-per-node=4 inputs/smollm2.cfg
#
# What stands before the deck goes to sbatch, what stands after it to the program. Checked before anything is queued: the
# program is there; the deck resolves and fits into memory (--dry-run, with the ranks that are asked for); the keys that
# judges need are in the environment; nobody else works in the run directory; its file system has room; a finished or
# started run of the same directory says how long its stages take, and a limit that no stage could finish in is named.
# Settings of the site: slurm/site.env (see site.env.example).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
say() { printf 'submit: %s\n' "$*"; }
refuse() { say "$*" >&2; exit 2; }

check_only=0
sweep=
for_sbatch=()
deck=
while (($#)); do
  case $1 in
    -h | --help) sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    --check) check_only=1 ;;
    --sweep) (($# > 1)) || refuse "--sweep: the folder of a sweep was expected"; sweep=$2; shift 2; break ;;
    -[A-Za-z]) (($# > 1)) || refuse "$1: a value was expected"; for_sbatch+=("$1" "$2"); shift ;;
    -*) for_sbatch+=("$1") ;;
    *) deck=$1; shift; break ;;
  esac
  shift
done
cells=()
if [[ -n $sweep ]]; then  # checked by its first cell that is not done
  [[ -f $sweep/cells.tsv ]] || refuse "there is no $sweep/cells.tsv: rlaif sweep plan DECK"
  while IFS=$'\t' read -r number _ _ cell_deck run; do
    [[ $number == number || -e $run/report/results.json ]] && continue
    cells+=("$number")
    [[ -n $deck ]] || deck=$cell_deck
  done <"$sweep/cells.tsv"
  ((${#cells[@]})) || { say "all cells of $sweep are done: rlaif sweep collect"; exit 0; }
fi
[[ -n $deck ]] || refuse "a deck was expected: slurm/submit.sh inputs/demo.cfg"
[[ -f $deck ]] || refuse "there is no deck '$deck'"
# shellcheck source=/dev/null
[[ ! -f slurm/site.env ]] || source slurm/site.env
program=${RLAIF:-$root/build/release/rlaif}
[[ -x $program ]] || refuse "$program is not there: run jobs/build.sh"

# What sbatch will be asked for: its options, else the lines of the script.
asked() {  # asked DEFAULT LONG SHORT
  local i value=$1
  for ((i = 0; i < ${#for_sbatch[@]}; ++i)); do
    [[ ${for_sbatch[i]} != "--$2="* ]] || value=${for_sbatch[i]#*=}
    [[ -z $3 || ${for_sbatch[i]} != "-$3" ]] || value=${for_sbatch[i + 1]}
  done
  printf '%s' "$value"
}
nodes=$(asked 1 nodes N)
each=$(asked 2 ntasks-per-node "")
limit=$(asked 01:00:00 time t)
[[ $nodes =~ ^[0-9]+$ && $each =~ ^[0-9]+$ ]] || refuse "nodes and ranks a node: numbers were expected, found '$nodes' and '$each'"
ranks=$((nodes * each))

plan=$("$program" study "$deck" "$@" --dry-run --plan.ranks="$ranks" 2>&1) || { printf '%s\n' "$plan" >&2; refuse "the deck does not resolve"; }
setting() { sed -n "/^\[$1\]/,/^\[/s/^$2 = //p" <<<"$plan" | head -n 1; }
directory=$(setting run directory)

while read -r variable; do
  [[ -z $variable || -n ${!variable:-} ]] || refuse "a judge of the deck needs a key in the environment variable $variable"
done < <(sed -n 's/^key_variable = //p' <<<"$plan" | sort -u)

lock=$directory/run.lock
held=0
if [[ -e $lock ]] && command -v flock >/dev/null; then
  flock -n -E 75 "$lock" true 2>/dev/null || held=$?  # other codes: there are no locks here, and the program says so
fi
if [[ $held == 75 ]]; then
  refuse "another job works in $directory: $(head -c 200 "$lock" | tr '\n' ' ')"
fi

place=$directory
while [[ ! -d $place ]]; do place=$(dirname "$place"); done
[[ -w $place ]] || refuse "$place cannot be written to"
free=$(df -Pk "$place" | awk 'NR == 2 {print $4}')
((free >= ${RLAIF_LEAST_FREE_KIB:-1048576})) || refuse "$place has $((free / 1024)) MiB left; at least $((${RLAIF_LEAST_FREE_KIB:-1048576} / 1024)) are wanted (RLAIF_LEAST_FREE_KIB)"

# How long it took before, by the markers of its stages, and what the limit allows.
python3 - "$directory" "$limit" "$ranks" <<'P'
import json, pathlib, re, sys
folder, limit, ranks = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
found = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", limit)
if not found:
    sys.exit(f"submit: the time limit '{limit}' is none that Slurm knows")
days, parts = int(found[1] or 0), [int(part) for part in found.groups()[1:] if part is not None]
if found[1] is not None:
    parts += [0] * (3 - len(parts))  # days-hours:minutes:seconds
elif len(parts) == 1:
    parts = [0, parts[0], 0]         # minutes
elif len(parts) == 2:
    parts = [0, *parts]              # minutes:seconds
allowed = days * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2]
times = {}
for marker in sorted((folder / "stages").glob("*.json")):
    row = json.loads(marker.read_text())
    times[marker.stem] = row.get("wall_seconds", 0) * row.get("ranks", 1)
if times:
    print(f"submit: {folder} has {len(times)} finished stage(s), {sum(times.values()) / ranks:.0f} s of {ranks} rank(s); they are not run again")
print(f"submit: {allowed} s a start; a job that is not done by then saves its state and queues again")
P
grep -E '^# (memory|hours|dollars|.*GiB)' <<<"$plan" | sed 's/^# /submit: /' || true
((check_only)) && exit 0
if [[ -n $sweep ]]; then
  array=$(IFS=,; printf '%s' "${cells[*]}")
  job=$(sbatch --parsable --array="$array${RLAIF_AT_ONCE:+%$RLAIF_AT_ONCE}" "${for_sbatch[@]}" slurm/sweep.sbatch "$sweep" "$@")
  job=${job%%;*}
  say "job $job: ${#cells[@]} cells of $sweep on $nodes node(s) x $each rank(s) each"
  say "look at it: squeue -j $job; tail -f rlaif-sweep-${job}_*.log; rlaif sweep collect DECK; end it: scancel $job"
  exit 0
fi
job=$(sbatch --parsable "${for_sbatch[@]}" slurm/study.sbatch "$deck" "$@")
job=${job%%;*}
say "job $job: $deck on $nodes node(s) x $each rank(s), results in $directory"
say "look at it: squeue -j $job; tail -f rlaif-study-$job.log; end it: scancel $job"
