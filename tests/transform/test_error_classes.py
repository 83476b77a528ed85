"""Error classes, text by text."""

from __future__ import annotations

import polars as pl
import pytest

from analytics.transform.error_classes import RULES, error_class, run_errors

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


def classify(*errors: str | None) -> list[str]:
    frame = pl.DataFrame({"error": errors}, schema={"error": pl.String})
    return frame.select(error_class(pl.col("error"))).to_series().to_list()


@pytest.mark.parametrize(("error", "expected"), CASES)
def test_class(error: str | None, expected: str) -> None:
    """An error text has the class of its exception, status or words."""
    assert classify(error) == [expected]


@pytest.mark.parametrize("error", HOSTILE)
def test_hostile_text(error: str) -> None:
    """Any text has one of the known classes."""
    assert set(classify(error)) <= {rule.error_class for rule in RULES} | {"other"}


def test_run_errors() -> None:
    """Every failed run has one row, also if texts repeat or are null."""
    failed = pl.DataFrame(
        [("w", "1", "MemoryError"), ("w", "2", None), ("v", "1", "MemoryError"), ("w", "3", "?")],
        schema=["workspace_id", "run_id", "error_message"],
        orient="row",
    )

    assert run_errors(failed).rows() == [
        ("w", "1", "out_of_memory"),
        ("w", "2", "unknown"),
        ("v", "1", "out_of_memory"),
        ("w", "3", "other"),
    ]


def test_no_failed_runs() -> None:
    """Without failed runs there are no rows; columns are strings."""
    columns = ["workspace_id", "run_id", "error_message"]
    empty = run_errors(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)))

    assert empty.schema == dict.fromkeys(["workspace_id", "run_id", "error_class"], pl.String)
