#!/usr/bin/env bash
#SBATCH --job-name=rrr-worker
#SBATCH --array=0-7
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=rrr-worker-%A-%a.log
# One rrr-worker per task of a job array. Options of sbatch override the lines above.
set -euo pipefail

usage() {
    cat <<'TEXT'
Usage: sbatch [SBATCH OPTIONS] slurm.sh tcp://HOST:PORT [WORKER OPTIONS]

Each task of the array runs one rrr-worker with one slot per CPU of the task.
HOST:PORT is a coordinator that the compute nodes can reach. RRR_COORDINATOR may
stand in for it. RRR_WORKER names the program (default: rrr-worker).

  sbatch --array=0-31 --cpus-per-task=16 slurm.sh tcp://login1:7757
  sbatch slurm.sh tcp://login1:7757 --once

60 seconds before the time limit Slurm sends SIGTERM. The worker hands its
blocks back and exits 0.
TEXT
}

case ${1:-} in
    -h | --help)
        usage
        exit 0
        ;;
esac
if [[ -z ${SLURM_JOB_ID:-} ]]; then
    echo 'slurm.sh: this is to be run by sbatch' >&2
    usage >&2
    exit 64
fi
coordinator=${RRR_COORDINATOR:-}
if [[ ${1:-} == tcp://* ]]; then
    coordinator=$1
    shift
fi
if [[ -z $coordinator ]]; then
    echo 'slurm.sh: no address of a coordinator' >&2
    usage >&2
    exit 64
fi

export OPENBLAS_NUM_THREADS=1
# exec: Slurm signals the batch shell (B:), so the worker has to take its place.
exec "${RRR_WORKER:-rrr-worker}" --coordinator "$coordinator" --slots "${SLURM_CPUS_PER_TASK:-1}" "$@"
