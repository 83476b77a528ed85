"""Queries on the published file: ad hoc SQL, questions, traces and status."""
