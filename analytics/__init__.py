"""Cost, token and failure-rate analytics for AI agents on Levain."""

__version__ = "0.1.0"

# Of the client and of settings, which need not wait for the client to be loaded.
DEFAULT_API = "https://api.levainlabs.com"
