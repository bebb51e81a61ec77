"""What perf/scaling is made of; perf/study/model/ is the model of a training step on many ranks."""
