"""Alerts: findings of the user's queries, each sent once to each address.

An address cannot be asked if it has a message already. So the ledger says of each finding that it
is being sent before it is, and that it was sent after: what a kill leaves in between may have
arrived or not. Such a finding is not sent again, but told as one that may not have been delivered.
Where it is certain that nothing arrived, as with an address that cannot be reached or says no, the
next batch tries again.
"""
