"""Batch: the stages in their order; collecting, closing a month, healing and rebuilding."""
