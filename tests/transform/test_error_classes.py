"""Error classes, text by text."""

from __future__ import annotations

import polars as pl
import pytest

from analytics.transform.error_classes import RULES, run_errors

CASES = [
    # The exception's name, with and without its path.
    ("RateLimitError: Error code: 429 - rate limit reached", "rate_limit"),
    ("litellm.RateLimitError: RateLimitError: OpenAIException - slow down", "rate_limit"),
    ("litellm.exceptions.AuthenticationError: bad key", "authentication"),
    ("PermissionDeniedError('no')", "authentication"),
    ("litellm.ContextWindowExceededError: too many", "context_length"),
    ("ContentPolicyViolationError: refused", "content_filter"),
    ("InternalServerError: Error code: 529 - overloaded_error: Overloaded", "provider_unavailable"),
    ("anthropic.APIConnectionError: Connection error.", "provider_unavailable"),
    ("httpx.ConnectTimeout: timed out", "provider_unavailable"),
    ("anthropic.APITimeoutError: Request timed out.", "provider_unavailable"),
    ("litellm.BadRequestError: temperature", "provider_rejected"),
    ("NotFoundError: no such model", "provider_rejected"),
    ("BudgetExceededError: run budget of $5.00 exceeded", "budget_limit"),
    ("TimeoutError: the run reached its limit of 60 minutes", "time_limit"),
    ("asyncio.exceptions.TimeoutError", "time_limit"),
    ("subprocess.TimeoutExpired: Command 'x' timed out after 60 seconds", "time_limit"),
    ("langgraph.errors.GraphRecursionError: Recursion limit of 25 reached", "step_limit"),
    ("MemoryError", "out_of_memory"),
    ("ToolError: search_tickets returned 502 Bad Gateway", "tool_error"),
    ("mcp.shared.exceptions.McpError: Connection closed", "tool_error"),
    ("ValidationError: 1 validation error for TriageResult\npriority\n  Field", "validation"),
    ("json.decoder.JSONDecodeError: Expecting value: line 1", "validation"),
    ("KeyError: 'timeout'", "agent_code"),
    ("ValueError: budget must be positive", "agent_code"),
    ("recipe.nodes.BakeryClosedError: come back tomorrow", "agent_code"),
    # The name counts before what the text quotes.
    ("TimeoutError: gave up after a RateLimitError", "time_limit"),
    # A wrapper says nothing; what it wraps does.
    ("TerminalNodeError: litellm.RateLimitError: slow down", "rate_limit"),
    ("RuntimeError: provider answered HTTP 503", "provider_unavailable"),
    # HTTP statuses of providers, and numbers that are none.
    ("provider answered with status 429", "rate_limit"),
    ("status_code=401", "authentication"),
    ("HTTP/1.1 413 Payload Too Large", "context_length"),
    ("Error code: 500 - {'type': 'api_error'}", "provider_unavailable"),
    ("http 422", "provider_rejected"),
    ("stopped after 500 rows", "other"),
    # Hard limits.
    ("Budget of $5.00 exhausted", "budget_limit"),
    ("stopped: over its budget", "budget_limit"),
    ("wall-clock limit reached", "time_limit"),
    ("Operation timed out", "time_limit"),
    ("Hit max steps (40) before a result was returned", "step_limit"),
    ("maximum number of turns reached", "step_limit"),
    ("container was OOMKilled", "out_of_memory"),
    # Tools and validation.
    ("tool bash failed: exit 1", "tool_error"),
    ("Command 'make' exited with 2", "tool_error"),
    ("UnexpectedModelBehavior: could not parse the model's answer", "validation"),
    ("Traceback (most recent call last):\n  File x", "agent_code"),
    # The rest.
    ("something odd", "other"),
    ("Error: something odd", "agent_code"),
    (None, "unknown"),
    ("", "unknown"),
    (" \n\t", "unknown"),
]

HOSTILE = [
    "<script>alert(1)</script>",
    "🍞" * 500,
    '=HYPERLINK("x")',
    "'; drop table marts.fct_runs; --",
    "\x00\u202e\ud7ff",
    "(" * 500,
    "a." * 250,
    "a" * 1_000_000 + "Error",
    "budget" * 80,
]


def classes_of(*errors: str | None) -> list[str]:
    failed = pl.DataFrame(
        [("w", str(number), error) for number, error in enumerate(errors)],
        schema=dict.fromkeys(["workspace_id", "run_id", "error_message"], pl.String),
        orient="row",
    )
    found = run_errors(failed)
    assert found.schema == dict.fromkeys(["workspace_id", "run_id", "error_class"], pl.String)
    assert found["run_id"].to_list() == failed["run_id"].to_list()
    return found["error_class"].to_list()


@pytest.mark.parametrize(("error", "expected"), CASES)
def test_class(error: str | None, expected: str) -> None:
    """An error text has the class of its exception, status or words."""
    assert classes_of(error) == [expected]


def test_any_text_has_a_class() -> None:
    """Each failed run has one row, also if its text is hostile, and none where no run failed."""
    assert set(classes_of(*HOSTILE)) <= {rule.error_class for rule in RULES} | {"other"}
    assert classes_of("MemoryError", None, "MemoryError") == [
        "out_of_memory", "unknown", "out_of_memory",
    ]  # fmt: skip
    assert classes_of() == []
