"""Worlds to serve: the demo and its story, and plain large ones for measurements."""
