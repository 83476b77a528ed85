"""Cost, token and failure-rate analytics for AI agents on Levain."""

__version__ = "0.1.0"
