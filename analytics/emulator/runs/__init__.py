"""Runs: their triggers, their execution, and their logs and files."""
