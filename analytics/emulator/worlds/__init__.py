"""Worlds to serve: the demo and its history, and plain large ones for measurements."""
