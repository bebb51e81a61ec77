#!/bin/bash
# A chain of dependent jobs, each begun when the one before has ended well: ImageNet packed on CPU nodes, PAWS on 64 GPUs, then
# fine-tuning and evaluation side by side. Run it where you submit jobs: `jobs/chain.sh`, or `jobs/chain.sh FILE` with the lines
# marked "edit" in a file of your own. It prints the numbers of the jobs.
set -euo pipefail

PAWS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CPU=(--account my_account --partition my_cpu_partition)                      # edit: options of jobs/submit
GPU=(--account my_account --partition my_gpu_partition)                      # edit
DATA=datasets                                                                # edit: data.root_path
IMAGES=imagenet                                                            # edit: in it, the folder with train/ and val/
RUN=runs/imagenet                                                            # edit: logging.folder
CONFIG=$PAWS/configs/paws/imgnt_train.yaml
CHECKPOINT=$RUN/paws-latest.h5                                               # logging.write_tag is its first word
FINE_TUNE=$PAWS/configs/paws/imgnt_fine_tune.yaml                            # empty: none
LOGS=logs
# Where jobs may not requeue themselves, 5 submits pre-training five times: each goes on where the one before stopped, and those
# that find the run complete end at once.
LINKS=1

[ $# -eq 0 ] || source "$1"

submit() { "$PAWS/jobs/submit" --folder "$LOGS" "$@"; }

pack=$(submit --template pack_imagenet "${CPU[@]}" --let INPUT="$DATA/$IMAGES" --let OUTPUT="$DATA/$IMAGES.h5")
settings=(--set data.root_path="$DATA" --set data.image_folder="$IMAGES" --set logging.folder="$RUN")
train=$pack
condition=afterok
for ((link = 1; link <= LINKS; ++link)); do
  train=$(submit --template imgnt_pretrain "${GPU[@]}" --fname "$CONFIG" --dependency "$condition:$train" "${settings[@]}")
  condition=afterany
done
echo "packing       $pack"
echo "pre-training  $train"
if [ -n "$FINE_TUNE" ]; then
  tune=$(submit --template imgnt_fine_tune "${GPU[@]}" --fname "$FINE_TUNE" --dependency "afterok:$train" "${settings[@]}")
  echo "fine-tuning   $tune"
fi
evaluation=$(submit --template evaluate "${GPU[@]}" --dependency "afterok:$train" --let CHECKPOINT="$CHECKPOINT")
echo "evaluation    $evaluation"
