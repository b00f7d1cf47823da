#!/usr/bin/env bash
# A small Slurm cluster on this machine for tests: a controller and nodes n1, n2, ..., all on the loopback, of this user and gone
# with `down`. Nodes have host names and shared memory of their own, so that MPI takes them for machines.
#
#   tests/support/slurm_cluster.sh up FOLDER NODES CPUS    then: source FOLDER/env.sh
#   tests/support/slurm_cluster.sh down FOLDER
#   tests/support/slurm_cluster.sh missing                 prints what is not installed, or nothing
#
# Partitions: batch, whose jobs are queued again where one of the partition high wants their nodes. Logs lie in FOLDER/log.
# Needs slurm-wlm and munge, a host name that is 127.0.0.1, and name spaces (root has them in most containers).
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

fail() {
  printf 'slurm_cluster: %s\n' "$*" >&2
  exit 1
}

missing() {
  local command
  for command in munged slurmctld slurmd sbatch srun; do command -v "$command" >/dev/null || printf '%s ' "$command"; done
}

# daemon NAME COMMAND...: in a session of its own, so that what it starts can be ended with it
daemon() {
  local name=$1
  shift
  setsid "$@" </dev/null >"$folder/log/$name.out" 2>&1 &
  printf '%d\n' $! >"$folder/pid/$name"
}

# soon SECONDS COMMAND...: until the command succeeds
soon() {
  local tries=$(($1 * 5))
  shift
  while ! "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || return 1
    sleep 0.2
  done
}

# First of so many ports in a row that nobody listens on
free_ports() {
  local count=$1 first port
  for ((first = 20000 + $$ % 10000; first < 32000; first += count)); do
    for ((port = first; port < first + count; ++port)); do
      ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
    done
    printf '%d\n' "$first"
    return
  done
  fail "no $count free ports in a row"
}

write_configuration() {
  local port=$1 host node
  host=$(uname -n)
  cat >"$SLURM_CONF" <<CONF
ClusterName=tests
SlurmctldHost=${host%%.*}(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$folder/state
SlurmctldPidFile=$folder/pid/slurmctld.own
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdPidFile=$folder/pid/%n.own
SlurmdLogFile=$folder/log/%n.log
SlurmdSpoolDir=$folder/spool/%n
# PMIx keeps a folder there by job and step: one for two nodes would be one too few.
TmpFS=$folder/tmp/%n
SlurmdParameters=config_overrides
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
KillWait=5
MinJobAge=86400
ReturnToService=2
MailProg=/bin/true
CONF
  for ((node = 1; node <= nodes; ++node)); do
    printf 'NodeName=n%d NodeHostname=n%d NodeAddr=127.0.0.1 Port=%d CPUs=%d RealMemory=64000\n' \
      "$node" "$node" $((port + node)) "$cpus" >>"$SLURM_CONF"
  done
  cat >>"$SLURM_CONF" <<'CONF'
PartitionName=batch Nodes=ALL Default=YES DefaultTime=60 MaxTime=INFINITE PriorityTier=1 PreemptMode=REQUEUE GraceTime=20
PartitionName=high Nodes=ALL DefaultTime=60 MaxTime=INFINITE PriorityTier=10 PreemptMode=OFF
CONF
}

nodes_are_idle() { [[ $(sinfo -h -N -p batch -o %t | grep -c '^idle$') == "$nodes" ]]; }

up() {
  local absent node port
  absent=$(missing)
  [[ -z $absent ]] || fail "not installed: $absent"
  local -a spaces=()
  local try
  for try in "--uts --mount" "--user --map-current-user --keep-caps --uts --mount"; do
    # shellcheck disable=SC2086  # several words
    unshare $try sh -c 'hostname n1 && mount -t tmpfs tmpfs /dev/shm' 2>/dev/null || continue
    read -ra spaces <<<"$try"
    break
  done
  [[ ${#spaces[@]} -gt 0 ]] || fail "this user may not make name spaces, which nodes have their host names by"
  getent ahostsv4 "$(uname -n)" | grep -q '^127\.' || fail "the host name $(uname -n) is not 127.0.0.1"
  mkdir -p "$folder"/{log,pid,state}
  for ((node = 1; node <= nodes; ++node)); do mkdir -p "$folder/spool/n$node" "$folder/tmp/n$node"; done
  { cat /etc/hosts; for ((node = 1; node <= nodes; ++node)); do printf '127.0.0.1 n%d\n' "$node"; done; } >"$folder/hosts"
  (umask 077 && head -c 128 /dev/urandom >"$folder/munge.key")
  port=$(free_ports $((nodes + 1)))
  write_configuration "$port"
  {
    printf 'export SLURM_CONF=%q OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_tcp_if_include=lo\n' "$SLURM_CONF"
    # There are more ranks than cores, which srun does not tell Open MPI.
    printf 'export OMPI_MCA_hwloc_base_binding_policy=none OMPI_MCA_mpi_yield_when_idle=1\n'
    [[ $(id -u) != 0 ]] || printf 'export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1\n'
  } >"$folder/env.sh"
  daemon munged munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/pid/munged.own" --seed-file="$folder/munge.seed" --log-file="$folder/log/munged.log"
  soon 10 test -S "$folder/munge.socket" || fail "munged does not start: $(tail -n 1 "$folder/log/munged.out")"
  daemon slurmctld slurmctld -D
  soon 20 scontrol ping || fail "slurmctld does not start: $(tail -n 1 "$folder/log/slurmctld.out")"
  for ((node = 1; node <= nodes; ++node)); do
    # shellcheck disable=SC2016  # expanded by the inner shell
    daemon "n$node" unshare "${spaces[@]}" sh -c \
      'hostname "$1" && mount -t tmpfs tmpfs /dev/shm && mount --bind "$2" /etc/hosts && exec slurmd -D -N "$1"' \
      _ "n$node" "$folder/hosts"
  done
  soon 30 nodes_are_idle || fail "nodes do not come up: $(tail -n 1 "$folder"/log/n1.out)"
}

# Step daemons leave the session of their node's: they are known by the configuration in their environment.
step_daemons() {
  local file pid
  grep -lzxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null | while read -r file; do
    pid=${file#/proc/} pid=${pid%/environ}
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) != slurmstepd ]] || printf '%s\n' "$pid"
  done || true
}

down() {
  [[ -f $SLURM_CONF ]] || return 0
  local job pid
  for job in $(timeout 10 squeue -h -a -o %A 2>/dev/null); do timeout 10 scancel "$job" || true; done
  soon 20 eval '[[ -z $(timeout 10 squeue -h -a 2>/dev/null) ]]' || true
  for pid in "$folder"/pid/{n*,slurmctld,munged}; do
    [[ $pid == *.own || ! -f $pid ]] || kill -TERM -- "-$(<"$pid")" 2>/dev/null || true
  done
  sleep 0.5
  for pid in $(step_daemons); do kill -KILL "$pid" 2>/dev/null || true; done
}

case ${1:-} in
  missing) missing; exit 0 ;;
  up | down) [[ -n ${2:-} ]] || fail "a folder was expected" ;;
  *) fail "up FOLDER NODES CPUS, down FOLDER or missing was expected" ;;
esac
folder=$(realpath -m -- "$2")
[[ ${#folder} -le 80 ]] || fail "$folder is too long for a socket's name; 80 characters at most were expected"
nodes=${3:-2} cpus=${4:-4}
export SLURM_CONF=$folder/slurm.conf
"$1"
