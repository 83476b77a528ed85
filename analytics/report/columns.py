"""Columns of tables: what a specification leaves out follows from a column's name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from analytics.transform.measures import measures

_BY_SUFFIX = {
    "_usd": "usd",
    "_count": "count",
    "_ms": "milliseconds",
    "_seconds": "seconds",
    "_date": "day",
    "_at": "instant",
}
_BY_NAME = {
    "date": "day",
    "utc_date": "day",
    "week": "day",
    "month": "month",
    "tokens_in": "tokens",
    "tokens_out": "tokens",
    "tokens": "tokens",
    "agent_id": "agent",
    "workspace_id": "workspace",
    "state": "state",
    "status": "state",
    "cause": "words",
}
_LABELS = {
    "agent_id": "Agent",
    "workspace_id": "Workspace",
    "run_id": "Run",
    "load_id": "Load",
    "utc_date": "UTC day",
    "date": "Day",
    "agent_version": "Version",
    "cause": "Cause",
}
_RANGE = ("_cost_more_usd", "_cost_open_count")  # what a range of costs is formed from, too
_NAMES = frozenset({"name", "agent", "agent_name", "workspace", "workspace_month", "prose"})
_TEXTS = frozenset(
    {"text", "day", "day_short", "month", "instant", "state", "version", "run", "words"}
)


@dataclass(frozen=True)
class Column:
    """An expression (`a`, or `a/b`), the unit that it is written in, and its label."""

    expression: str
    unit: str
    label: str

    @cached_property
    def figures(self) -> list[str]:
        """The columns of the relation that it is formed from."""
        names = self.expression.split("/")
        if self.unit.startswith("range"):
            names += [names[0].replace("_cost_usd", end) for end in _RANGE]
        return names

    @cached_property
    def kind(self) -> Literal["", "text", "name", "drawing"]:
        """Empty for numbers."""
        if self.unit in _NAMES:
            return "name"
        if self.unit in {"trend", "bullet", "effect"}:
            return "drawing"
        return "text" if self.unit in _TEXTS else ""


@cache
def column(text: str) -> Column:
    """Parse `expression|unit|label`, of which unit and label may be left out."""
    expression, _, rest = text.partition("|")
    unit, _, label = rest.partition("|")
    return Column(expression, unit or default_unit(expression), label or default_label(expression))


def default_unit(name: str) -> str:
    """Return the unit of a column by its name; `name` for any other text."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    return next((unit for end, unit in _BY_SUFFIX.items() if name.endswith(end)), "name")


def default_label(name: str) -> str:
    """Return the label of a declared measure, or the column's name in words."""
    if name in _LABELS:
        return _LABELS[name]
    if declared := measures().get(name):
        return declared.label
    words = name
    for end in ("_usd", "_count", "_ms", "_seconds", "_at", "_name", "_id"):
        words = words.removesuffix(end)
    return words.replace("_", " ").capitalize()
