"""The batch: the stages of a night, one by one or all in turn."""
