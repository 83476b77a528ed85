"""The morning summary: what a person should know of the batch, in ten lines."""
