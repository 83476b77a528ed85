"""The morning summary: what a person should know of the night, in ten lines."""
