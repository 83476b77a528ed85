"""The morning summary: what a person should know of the batch, in eleven lines."""
