-- Findings that the user's file silences.
from finance.silenced_findings
