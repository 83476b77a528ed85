"""Error classes: the cause of a failed run in one word, derived from its error text."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from analytics.transform.models import Header, polars_model


class Rule(NamedTuple):
    """An error class, with its patterns of the exception's name and of the text."""

    error_class: str
    name: str
    text: str


_STATUS = r"(?:http(?:/[\d.]+)?|status|code)\W{0,3}"  # the text before an HTTP status

# The first matching rule wins. The exception's name is matched before the text.
RULES = (
    Rule(
        "rate_limit",
        r"RateLimit|TooManyRequests|Throttl",
        rf"{_STATUS}429\b|rate.?limit|too many requests|throttl",
    ),
    Rule(
        "authentication",
        r"^Authentication|^PermissionDenied|Unauthorized|Forbidden",
        rf"{_STATUS}40[13]\b|invalid.api.key|unauthori[sz]ed|authentication failed",
    ),
    Rule(
        "context_length",
        r"ContextWindow|ContextLength",
        rf"{_STATUS}413\b|context.(length|window)|(prompt|input) is too long",
    ),
    Rule("content_filter", r"ContentPolicy|ContentFilter", r"content.(policy|filter)"),
    Rule(
        "provider_unavailable",
        r"^InternalServer|ServiceUnavailable|Overloaded|Connect|BadGateway|RemoteProtocol"
        r"|^(API|Read|Write|Pool)Timeout",
        rf"{_STATUS}5\d\d\b|overloaded|service unavailable|bad gateway|internal server error"
        r"|connection (refused|reset|error|aborted)",
    ),
    Rule(
        "provider_rejected",
        r"BadRequest|InvalidRequest|^NotFound|UnprocessableEntity",
        rf"{_STATUS}4\d\d\b|invalid_request|bad request",
    ),
    Rule(
        "budget_limit",
        r"Budget",
        r"budget\b.{0,40}\b(exceeded|exhausted|reached|spent)"
        r"|(exceeded|over|out of)\b.{0,20}\bbudget",
    ),
    Rule(
        "time_limit",
        r"Timeout|TimedOut|DeadlineExceeded|TimeLimit",
        r"timed? ?out\b|(time|wall.clock) limit|deadline exceeded",
    ),
    Rule(
        "step_limit",
        r"GraphRecursion|StepLimit|MaxSteps|MaxIterations|MaxTurns",
        r"(step|turn|iteration|recursion) (limit|count)|max(imum)?.{0,15}(steps|turns|iterations)",
    ),
    Rule(
        "out_of_memory",
        r"^Memory|OutOfMemory|OOM",
        r"out of memory|oom.?killed|exit(ed)?( with)? (code|status) 137\b",
    ),
    Rule(
        "tool_error",
        r"Tool|Mcp|CalledProcess",
        r"\b(tool|mcp|command)\b.{0,60}\b(failed|errors?|not found|exit(ed)?)\b",
    ),
    Rule(
        "validation",
        r"Validation|JSONDecode|OutputParser|Schema",
        r"validation (error|failed)|failed (to validate|validation)|could not parse|invalid json"
        r"|schema mismatch",
    ),
    Rule(
        "agent_code",
        r"^(Arithmetic|Assertion|Attribute|EOF|FileNotFound|Import|Index|IO|Key|Lookup|ModuleNotFound"
        r"|Name|NotImplemented|OS|Overflow|Permission|Recursion|Syntax|Type|Unicode\w*|Value"
        r"|ZeroDivision)Error$",
        r"traceback \(most recent call last\)",
    ),
)
OTHER_EXCEPTION = "agent_code"  # any other exception comes from the agent's code
OTHER = "other"
UNKNOWN = "unknown"  # failed, without a stored error text

_EXCEPTION_NAME = r"^\s*(?:\w+\.)*(\w*(?:Error|Exception|Exceeded|Timeout))(?:\s*[:(]|\s*$)"


def error_class(error: pl.Expr) -> pl.Expr:
    """Return the class of an error text; `unknown` if it is null or blank."""
    name = error.str.extract(_EXCEPTION_NAME)
    by_name = [pl.when(name.str.contains(r.name)).then(pl.lit(r.error_class)) for r in RULES]
    by_text = [
        pl.when(error.str.contains(f"(?i){r.text}")).then(pl.lit(r.error_class)) for r in RULES
    ]
    return pl.coalesce(
        pl.when(error.is_null() | (error.str.strip_chars() == "")).then(pl.lit(UNKNOWN)),
        *by_name,
        *by_text,
        pl.when(name.is_not_null()).then(pl.lit(OTHER_EXCEPTION)),
        pl.lit(OTHER),
    )


def run_errors(failed_runs: pl.DataFrame) -> pl.DataFrame:
    """Return one row per failed run with its error class; each distinct text is classified once."""
    texts = failed_runs.select("error_message").unique()
    classes = texts.with_columns(error_class=error_class(pl.col("error_message")))
    return failed_runs.join(
        classes, on="error_message", how="left", nulls_equal=True, maintain_order="left"
    ).select("workspace_id", "run_id", "error_class")


MODEL = polars_model(
    "intermediate.int_run_errors",
    run_errors,
    Header(
        "Failed runs with their error class. Grain: run.",
        ("workspace_id", "run_id"),
        narrow="run_id",
    ),
)
