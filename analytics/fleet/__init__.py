"""Many workspaces on several machines: a data directory each, one publication of all."""
