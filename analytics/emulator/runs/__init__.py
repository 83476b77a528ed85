"""Runs that are triggered: their start, their steps, their logs and files."""
