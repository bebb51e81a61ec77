# Completion of paws_hpc's commands, options and settings for bash.
# Between the two marks is what --help says, written by packaging/describe_program.py; all else is written by hand.

# begin: from --help
_paws_hpc_commands="pack subset inspect convert configs doctor embed snn-eval views demo"
_paws_hpc_options_="--dry-run --fname --help --print-config --print-settings --quiet --resume --sel --set --stop-after --summary --version"
_paws_hpc_options_pack="--class-names --format --help --input --output --quiet --shorter-side --skip-broken --summary --val-list"
_paws_hpc_options_subset="--data --fraction --help --output --per-class --quiet --seed --split --summary"
_paws_hpc_options_inspect="--help --quiet --summary"
_paws_hpc_options_convert="--config --help --quiet --set --summary"
_paws_hpc_options_configs="--copy --help --quiet --summary"
_paws_hpc_options_doctor="--help --quiet --summary"
_paws_hpc_options_embed="--checkpoint --chunk-rows --compression --data --half --help --output --outputs --probabilities --quiet --set --split --subset --summary
  --temperature"
_paws_hpc_options_snn_eval="--checkpoint --data --dataset-name --device --help --image-folder --model-name --normalize --pretrained --quiet --root-path --set --split
  --split-seed --subset --subset-path --summary --temperature --unlabeled-frac --unlabeled_frac --use-pred"
_paws_hpc_options_views="--help --images --output --pictures --quiet --set --summary"
_paws_hpc_options_demo="--folder --help --images --pictures --quiet --set --summary --tier"
_paws_hpc_without_value="--dry-run --half --help --probabilities --quiet --skip-broken --use-pred --version"
_paws_hpc_keys="criterion.classes_per_batch criterion.embedding criterion.me_max criterion.sharpen criterion.similarity_memory_gb criterion.snn_temperature
  criterion.supervised_batch_size criterion.supervised_epochs criterion.supervised_imgs_per_class criterion.supervised_views
  criterion.temperature criterion.unsupervised_batch_size data.augment_on data.blur_probability data.cache_gb data.color_jitter_strength
  data.copy_data data.crop_scale data.crop_size data.data_seed data.dataset data.equalise_probability data.eval_crop_size data.eval_resize
  data.evaluation_batch_size data.file data.flip_probability data.grey_probability data.image_folder data.jitter_probability
  data.label_smoothing data.mean data.multicrop data.normalize data.num_classes data.prefetch_batches data.random_crop data.reduced_decoding
  data.reuse_views data.root_path data.scratch data.skip_broken data.small_crop_scale data.small_crop_size data.solarise_probability data.std
  data.subset data.subset_path data.synthetic_height data.synthetic_train data.synthetic_validation data.synthetic_width data.train_split
  data.unique_classes_per_rank data.unlabeled_frac data.unlabelled_count data.validation_split data.workers embed.chunk_rows embed.compression
  embed.file embed.half embed.outputs embed.probabilities embed.split logging.all_ranks logging.checkpoint_every logging.checkpoint_minutes
  logging.eval_every logging.folder logging.jsonl logging.keep_last logging.log_every logging.pretrain_path logging.tensorboard
  logging.timings logging.write_tag meta.bucket_mb meta.comm_timeout meta.convolution meta.copy_data meta.cuda_graph meta.deterministic
  meta.device meta.emulate_world meta.init_backbone meta.load_checkpoint meta.master_port meta.model_name meta.output_dim meta.precision
  meta.read_checkpoint meta.reduce_precision meta.seed meta.tf32 meta.threads meta.training meta.use_fp16 meta.use_pred_head
  optimization.batch_size optimization.epochs optimization.final_lr optimization.lr optimization.momentum optimization.nesterov
  optimization.start_lr optimization.trust_coefficient optimization.use_lars optimization.warmup optimization.weight_decay
  optimization.zero_init"
# end

# Names of files, and of folders on the way to them; with a pattern of extglob, only files that match.
_paws_hpc_files() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -X "${1:+!*.@($1)}" -- "$word"))
  [ -z "${1:-}" ] || COMPREPLY+=($(compgen -d -- "$word"))
  compopt -o filenames 2>/dev/null
}

_paws_hpc_words() { COMPREPLY=($(compgen -W "$1" -- "$word")); }

_paws_hpc() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command='' each shopts choices options
  shopts=$(shopt -p extglob)
  shopt -s extglob
  COMPREPLY=()
  for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ " $_paws_hpc_commands " != *" $each "* ]] || { command=$each; break; }
  done
  case "$previous" in
    --set)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -W "$_paws_hpc_keys" -S = -- "$word")) ;;
    # After a setting's name, of which readline makes a word.
    =) _paws_hpc_files ;;
    --sel) _paws_hpc_words "paws_train suncet_train snn_fine_tune fine_tune snn_eval embed" ;;
    --format) _paws_hpc_words "cifar10 idx imagefolder" ;;
    --class-names) _paws_hpc_words "digits fashion-mnist" ;;
    --split) _paws_hpc_words "train val" ;;
    --outputs) _paws_hpc_words "backbone projection prediction" ;;
    --tier) _paws_hpc_words "tiny small medium usual large huge" ;;
    --resume)
      _paws_hpc_words "auto never"
      choices=("${COMPREPLY[@]}")
      _paws_hpc_files "h5|pth.tar|pth|pt"
      COMPREPLY+=("${choices[@]}") ;;
    --checkpoint) _paws_hpc_files "h5|pth.tar|pth|pt" ;;
    --fname | --config) _paws_hpc_files "yaml|yml" ;;
    --summary) _paws_hpc_files "json" ;;
    *)
      if [[ $word == -* ]]; then
        options="_paws_hpc_options_${command//-/_}"
        _paws_hpc_words "${!options}"
      elif [[ $previous == --* && " $_paws_hpc_without_value " != *" $previous "* ]]; then
        _paws_hpc_files
      else
        case "$command" in
          '')
            _paws_hpc_words "$_paws_hpc_commands"
            choices=("${COMPREPLY[@]}")
            _paws_hpc_files "yaml|yml"
            COMPREPLY+=("${choices[@]}") ;;
          demo | views) _paws_hpc_files "yaml|yml" ;;
          inspect | convert) _paws_hpc_files "h5|pth.tar|pth|pt" ;;
          *) _paws_hpc_files ;;
        esac
      fi ;;
  esac
  eval "$shopts"
}

complete -F _paws_hpc paws_hpc
