"""Words for prompts, errors and log events.

Everything that a user or a tool wrote holds `CANARY`, so that a test can search for it where
content must not be stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

CANARY = "canary-7c1f4e"

_ASKS = (
    "My order {n} arrived broken, what now?",
    "I get a 403 every time I try to log in (ticket {n}).",
    "Please summarise thread {n} for the weekly report.",
    "Review pull request {n} and comment on risky changes.",
    "Refund order {n}; the customer waited three weeks 😡",
    "Where is parcel {n}? <b>Urgent!</b>",
)
_THOUGHTS = (
    "The customer wants a refund; I should look at the order first.",
    "Two tickets look alike. I will compare them.",
    "The test fails on an empty list. I will read the function.",
    "I have enough to answer now.",
)
TOOLS = ("search_tickets", "get_order", "read_file", "run_tests", "search_wiki", "send_reply")

TIMEOUT = "TimeoutError: the run reached its limit of 60 minutes"
RATE_LIMIT = "RateLimitError: Error code: 429 - rate limit reached for requests per minute"
OVERLOADED = "InternalServerError: Error code: 529 - overloaded_error: Overloaded"
BUDGET = "BudgetExceededError: run budget of $5.00 exceeded"
TOOL = "ToolError: search_tickets returned 502 Bad Gateway"
VALIDATION = "ValidationError: 1 validation error for TriageResult\npriority\n  Field required"
MAX_STEPS = "Hit max steps (40) before a result was returned"
MARKUP = "ToolError: send_reply refused <b>bold</b> & 🍞 in field 'body' =HYPERLINK(\"x\")"
LONG = "UnexpectedModelBehavior: could not parse the model's answer: " + "lorem ipsum dolor " * 120
COMMON_ERRORS = (TIMEOUT, RATE_LIMIT, TOOL, TOOL, VALIDATION, MAX_STEPS, MARKUP, LONG)


def prompt(rng: random.Random) -> str:
    """Return what a user asked."""
    return f"{rng.choice(_ASKS).format(n=rng.randint(1000, 99999))} [{CANARY}]"


def thought(rng: random.Random) -> str:
    """Return what a model thought."""
    return f"{rng.choice(_THOUGHTS)} [{CANARY}]"
