"""Files for finance from the published figures."""
