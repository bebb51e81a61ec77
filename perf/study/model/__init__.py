"""A model of the training step on many ranks: an event simulation fed with what one rank was measured to do."""
