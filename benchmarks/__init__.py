"""Ours beside a peer, in one run: `make bench`. Figures are medians; only ratios travel well."""
