"""Batch: runs the stages of the flow, singly or in turn, and rebuilds from landing files."""
