"""The pages on whether the figures can be trusted: Reconciliation, and Data quality."""
