"""Findings: what needs a person, and the sentence that says it."""

from analytics.transform.findings.model import FOUND
from analytics.transform.findings.said import MODEL

__all__ = ["FOUND", "MODEL"]
