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

from pathlib import Path
from typing import Annotated

from analytics.finance.lines import Lines
from analytics.finance.toml import Day, Name, read_rows
from analytics.toml import Table, one_of
from analytics.transform.findings.words import KINDS

FILE = "finance/findings.toml"
_MOST = 1000


class Silence(Table):
    """Findings of a kind that are silenced: of an agent, a subject, up to a day; None is any."""

    kind: Annotated[str, one_of(KINDS)]
    agent: Name | None = None
    subject: Name | None = None
    until: Day | None = None
    note: Name | None = None


def read_silences(project: Path) -> Lines[Silence]:
    """Read the silences of a project folder; there are none without a file.

    One that is wrong silences nothing, and is a problem; nothing raises.
    """
    silences, problems = read_rows(
        project,
        FILE,
        "silences",
        Silence,
        lambda _, __: None,
        most=_MOST,
        without_file="nothing is silenced",
        without_row="it silences nothing",
    )
    return Lines([*silences.values()], problems)
