"""Exports of a month: its tables, FOCUS, the journal, and the pack that finance books."""
