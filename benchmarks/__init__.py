"""The pipeline and a peer, side by side: `make bench`. Medians; only their ratios compare."""
