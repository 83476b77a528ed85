"""Findings that the user knows of: `finance/findings.toml`.

    [[silences]]
    kind = "new_agent"
    agent = "order-status"       # slug, name or identifier; without it, any
    subject = "v3"               # as in fct_findings; without it, any
    until = 2026-12-31           # the last day; without it, for good
    note = "planned"

A silenced finding is folded, sent to nobody, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from analytics.finance.toml import RefusedFileError, day_of, name_of, read_toml, rows_of, unknown
from analytics.transform.findings.finding import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

FILE = "finance/findings.toml"
_KEYS = ("kind", "agent", "subject", "until", "note")
_MOST = 1000


@dataclass(frozen=True)
class Silence:
    """Findings of a kind that are silenced: of an agent, a subject, up to a day; None is any."""

    kind: str
    agent: str | None
    subject: str | None
    until: date | None
    note: str | None


@dataclass(frozen=True)
class Silences:
    """The silences of the file, and problems: each with its place and reason."""

    silences: list[Silence] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_silences(project: Path) -> Silences:
    """Read the silences of a project folder; there are none without a file.

    One that is wrong silences nothing, and is a problem; nothing raises.
    """
    try:
        tables, _ = read_toml(project, FILE)
    except RefusedFileError as error:
        return Silences(problems=[f"{error}; nothing is silenced"])
    given, problems = rows_of(FILE, tables, "silences", most=_MOST, otherwise="nothing is silenced")
    silences: list[Silence] = []
    for number, keys in enumerate(given, start=1):
        try:
            silences.append(_silence(keys))
        except ValueError as error:
            problems.append(f"{FILE}: silence {number}: {error}; it silences nothing")
    return Silences(silences, problems)


def _silence(keys: Mapping[str, Any]) -> Silence:
    """Return the keys of a table as a silence; ValueError says what is wrong with them."""
    for key in keys:
        if key not in _KEYS:
            raise ValueError(unknown(key, _KEYS))
    kind = name_of("kind", keys.get("kind", ""))
    if kind not in KINDS:
        raise ValueError(f"kind {unknown(kind, KINDS)}")
    agent, subject, note = (
        name_of(key, keys[key]) if key in keys else None for key in ("agent", "subject", "note")
    )
    until = day_of("until", keys["until"]) if "until" in keys else None
    return Silence(kind, agent, subject, until, note)
