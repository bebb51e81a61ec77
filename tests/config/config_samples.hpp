#pragma once

#include <string>

namespace paws::test
{
/// The least that each task needs.
inline const std::string paws_yaml = R"(task: paws_train
meta:
  model_name: wide_resnet28w2
  output_dim: 128
criterion:
  classes_per_batch: 10
  supervised_imgs_per_class: 64
  unsupervised_batch_size: 256
data:
  dataset: cifar10
  root_path: datasets/
  subset: labelled.txt
  multicrop: 6
  label_smoothing: 0.1
optimization:
  epochs: 600
  lr: 3.2
logging:
  folder: runs/
)";

inline const std::string suncet_yaml = R"(task: suncet_train
meta: {model_name: resnet50, output_dim: 2048}
criterion: {classes_per_batch: 20, supervised_imgs_per_class: 2, unsupervised_batch_size: 44, supervised_epochs: 100}
data: {dataset: imagenet, root_path: datasets, unlabeled_frac: 0.9, subset_path: lists}
optimization: {epochs: 100, lr: 4.8}
logging: {folder: runs}
)";

inline const std::string snn_fine_tune_yaml = R"(task: snn_fine_tune
meta: {model_name: wide_resnet28w2, output_dim: 128}
criterion: {classes_per_batch: 10, supervised_batch_size: 64}
data: {dataset: cifar10_fine_tune, root_path: datasets, subset: labelled.txt}
optimization: {epochs: 30, lr: 0.1}
logging: {folder: runs, pretrain_path: paws-latest.h5}
)";

inline const std::string fine_tune_yaml = R"(task: fine_tune
meta: {model_name: resnet50}
data: {dataset: imagenet_fine_tune, root_path: datasets, unlabeled_frac: 0.9, subset_path: lists}
optimization: {epochs: 50, lr: 0.02}
logging: {folder: runs, pretrain_path: paws-latest.h5}
)";

inline const std::string embed_yaml = R"(task: embed
meta: {model_name: resnet50}
data: {dataset: hdf5, file: images.h5}
logging: {folder: runs}
)";

inline const std::string snn_eval_yaml = R"(task: snn_eval
meta: {model_name: resnet50}
data: {dataset: folder, root_path: images, subset: labelled.txt}
logging: {folder: runs}
)";
}  // namespace paws::test
