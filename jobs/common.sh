# The common part of all templates: settings of the network with their reasons, how paws_hpc is started, and what happens
# when it ends. A template sets PAWS, sources this, and calls `run_once ARGUMENT...` or `run_until_done ARGUMENT...`.

readonly resume_me=85                          # paws_hpc's exit code for "stopped early with a checkpoint"
readonly most_restarts=${PAWS_MOST_RESTARTS:-500}

say() { echo "$(date '+%F %T') job ${SLURM_JOB_ID:-?}: $*"; }
refuse() { say "$*" >&2; exit 2; }

[ -n "${SLURM_JOB_ID:-}" ] || refuse "this is a job script: submit it with sbatch, or with jobs/submit"
site=${PAWS_SITE:-$PAWS/jobs/site.sh}
[ -e "$site" ] || refuse "$site: there is no such file, or its folder may not be entered; set PAWS to the folder that holds jobs/, or PAWS_SITE"
[ -f "$site" ] && [ -r "$site" ] || refuse "$site: is not a file that can be read; set PAWS_SITE to one"
source "$site"

find_program() {
  [ -z "$paws_hpc" ] || return 0
  # Built in place, or installed with these templates.
  paws_hpc=$(ls -t "$PAWS"/build/*/paws_hpc "$PAWS/../../bin/paws_hpc" 2>/dev/null | head -n 1)
  : "${paws_hpc:=$(command -v paws_hpc)}"
  [ -z "$paws_hpc" ] || return 0
  refuse "no paws_hpc in $PAWS/build, $PAWS/../../bin or PATH; build it (./bootstrap build), or set paws_hpc in $site"
}
find_program

# --- Network -------------------------------------------------------------------------------------------------------------
# NCCL names the cause of a failure; its default is silence.
export NCCL_DEBUG=${NCCL_DEBUG:-WARN}
# A congested InfiniBand fabric, or a subnet manager that restarts, can be silent for some seconds: 4 µs × 2^22 = 17 s a try
# instead of 4 s at most. A node that is lost is noticed by paws_hpc itself, after meta.comm_timeout.
export NCCL_IB_TIMEOUT=${NCCL_IB_TIMEOUT:-22}
# MPI carries host memory only (NCCL carries that of GPUs), so UCX need not watch every allocation for GPU memory, which
# costs time and is known to mistake reused addresses.
export UCX_MEMTYPE_CACHE=${UCX_MEMTYPE_CACHE:-n}
# UCX catches SIGSEGV and the like to print a trace, and then may hang; the other ranks are to learn of it at once.
export UCX_ERROR_SIGNALS=${UCX_ERROR_SIGNALS-}
# The old InfiniBand layer of Open MPI 4 is superseded by UCX, and warns on every node about devices that it does not know.
export OMPI_MCA_btl=${OMPI_MCA_btl:-^openib}

# --- How paws_hpc is started -----------------------------------------------------------------------------------------------
# --cpus-per-task   srun of SLURM 22.05 and later no longer takes it from sbatch: a rank would get one core.
# --cpu-bind        a rank's threads stay on its cores, by which paws_hpc counts them (start of the run: "threads").
# --distribution    ranks of a node fill one socket after the other, as GPUs are numbered, so that a rank is near its GPU.
# --gpu-bind        every rank sees all GPUs of its node and takes its own; one that sees only its own cannot copy to its
#                   neighbours' directly.
# --kill-on-bad-exit  a rank that ends with 85 first must not end the others, whatever the cluster's default.
srun_options=(--mpi="$mpi" --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --cpu-bind=cores --distribution=block:block --kill-on-bad-exit=0)
[ -z "${SLURM_GPUS_ON_NODE:-}" ] || srun_options+=(--gpu-bind=none)

# Arguments that have the packed images copied to the nodes' own disks.
stage=(--set data.copy_data=true)
[ -z "$scratch" ] || stage+=(--set "data.scratch=$scratch")

# Whoever ends the job (scancel, the end of its time, SLURM that requeues it by itself) tells this shell too; --signal and the
# grace time of a preemption reach the ranks only.
told_to_end=
interrupted=
trap 'told_to_end=yes interrupted=yes' TERM INT

# srun with options `$step_options`; returns its exit code. In the background, since bash runs traps only between commands.
step() {
  local code
  srun "${srun_options[@]}" ${step_options[@]+"${step_options[@]}"} ${container[@]+"${container[@]}"} "$paws_hpc" "$@" &
  while interrupted=; do
    wait $!
    code=$?
    [ -n "$interrupted" ] || return "$code"
  done
}

say "${SLURM_JOB_NAME:-} on ${SLURM_JOB_NUM_NODES:-?} nodes (${SLURM_JOB_NODELIST:-?}), start ${SLURM_RESTART_COUNT:-0}, $paws_hpc"

# Ends the job with the command's exit code.
run_once() {
  step "$@"
  exit $?
}

# Whether all nodes of the job still start processes. paws_hpc ends within meta.comm_timeout when one is lost, and so before
# SLURM, which takes minutes, would have queued the job again by itself.
nodes_answer() {
  local count=$SLURM_JOB_NUM_NODES
  timeout -k 10 60 srun --overlap --mpi=none --nodes="$count" --ntasks="$count" --ntasks-per-node=1 --cpus-per-task=1 --mem=0 true >/dev/null 2>&1
}

requeue() {
  if [ -n "$told_to_end" ]; then
    say "$1; the same sbatch line resumes it"
  elif [ "${SLURM_RESTART_COUNT:-0}" -ge "$most_restarts" ]; then
    say "$1; not requeued after $most_restarts starts (PAWS_MOST_RESTARTS), the same sbatch line resumes it"
  elif scontrol requeue "$SLURM_JOB_ID"; then
    say "$1; requeued"
  else
    say "$1; not requeued from here, so that, unless SLURM does it, the same sbatch line resumes it"
  fi
}

# The same, but a run that stopped early with a checkpoint, was stopped before it could write one, or lost a node, is queued
# again, and goes on.
run_until_done() {
  step "$@"
  local code=$?
  case "$code" in
    0 | 2) say "paws_hpc ended with exit code $code" ;;
    "$resume_me") requeue "stopped with a checkpoint" ;;
    129 | 138 | 140 | 143 | 152) requeue "stopped by a signal before it had begun ($code)" ;;   # HUP, USR1, USR2, TERM, XCPU
    *)
      if [ -n "$told_to_end" ] || nodes_answer; then
        say "paws_hpc ended with exit code $code"
      else
        requeue "ended with exit code $code, and a node no longer answers"
      fi
      ;;
  esac
  exit "$code"
}
