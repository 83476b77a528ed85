"""Alerts: new findings, and those of the user's queries, sent to each address at least once.

A finding counts as sent once Apprise said that the address took it. What a kill leaves in between,
or an address that took a message and did not say so, is sent again by the next batch.
"""
