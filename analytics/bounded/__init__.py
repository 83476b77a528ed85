"""Bounded: runs SQL of users in a process of its own, which reads published tables alone."""
