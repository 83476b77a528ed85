"""Texts of prompts, errors and log events.

Every text of a user or a tool ends with `MADE_UP`, so that a test can search for it where content
must not be stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from decimal import Decimal

MADE_UP = "[made-up text]"

_ASKS = (
    "My order {n} arrived broken, what now?",
    "I get a 403 every time I try to log in (ticket {n}).",
    "Please summarise thread {n} for the weekly report.",
    "Review pull request {n} and comment on risky changes.",
    "Refund order {n}; the customer waited three weeks.",
    "Where is parcel {n}? It is urgent.",
)
_THOUGHTS = (
    "The customer wants a refund; I should look at the order first.",
    "Two tickets look alike. I will compare them.",
    "The test fails on an empty list. I will read the function.",
    "I have enough to answer now.",
)
TOOLS = ("search_tickets", "get_order", "read_file", "run_tests", "search_wiki", "send_reply")

RATE_LIMIT = "RateLimitError: Error code: 429 - rate limit reached for requests per minute"
OVERLOADED = "InternalServerError: Error code: 529 - overloaded_error: Overloaded"
PROVIDER_ERRORS = (RATE_LIMIT, OVERLOADED)  # a model request failed
TOOL = "ToolError: search_tickets returned 502 Bad Gateway"
REFUSED = "ToolError: send_reply refused the address in field 'to'"
VALIDATION = "ValidationError: 1 validation error for TriageResult\npriority\n  Field required"
UNREADABLE = "UnexpectedModelBehavior: could not parse the model's answer: expected JSON, got prose"
MAX_STEPS = "Hit max steps (40) before a result was returned"
BUDGET_LIMIT, TIME_LIMIT = "budget limit", "time limit"
"""Of runs that spend their budget, or work until their time is up: their errors say how much."""
COMMON_ERRORS = (RATE_LIMIT, TOOL, TOOL, REFUSED, VALIDATION, UNREADABLE, MAX_STEPS)


def over_budget(budget: Decimal) -> str:
    """Return the error of a run that exceeded its budget."""
    return f"BudgetExceededError: run budget of ${budget:.2f} exceeded"


def out_of_time(minutes: int) -> str:
    """Return the error of a run that exceeded its time limit."""
    limit = f"{minutes} minute" + "s" * (minutes != 1)
    return f"TimeoutError: the run reached its limit of {limit}"


def prompt(rng: random.Random) -> str:
    """Return a user's prompt."""
    return f"{rng.choice(_ASKS).format(n=rng.randint(1000, 99999))} {MADE_UP}"


def thought(rng: random.Random) -> str:
    """Return a model's thought."""
    return f"{rng.choice(_THOUGHTS)} {MADE_UP}"
