"""The batch: the stages of a batch, one by one or all in turn."""
