"""Queries on the published file: ad hoc SQL, traces, status, exports, the summary of a batch."""
