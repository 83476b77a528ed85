"""Alerts of a project: queries whose rows are findings, each with an identity that lasts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

from analytics.format import numbers
from analytics.format.names import shortened
from analytics.project.findings import Finding
from analytics.project.marts import CustomFile
from analytics.project.project import UserModel
from analytics.project.runner import Answer, Runner, UserQuery
from analytics.terminal import Before, escaped, tracked
from analytics.transform.check_results import KEPT_FINDINGS

_SHOWN_TEXT = 200
_LONGEST = 600


def run_alerts(
    runner: Runner,
    database: Path,
    own: Path,
    alerts: Sequence[UserModel],
    before: Before | None = None,
) -> Iterator[tuple[CustomFile, list[Finding]]]:
    """Run alerts on `database` and the tables of `own`; yield each with its first findings."""
    asked = tracked(list(map(query_of, alerts)), before, attrgetter("file"))
    answers = runner.run(database, asked, own=own, rows=KEPT_FINDINGS)
    for alert, answer in zip(alerts, answers, strict=True):
        file, error = alert.file, answer.error
        findings = _findings(alert, answer)
        count = None if error else findings[0].count if findings else 0
        status = "error" if error else "asked"
        yield (
            CustomFile(file.kind, file.file, file.name, status, count, answer.seconds, error),
            findings,
        )


def query_of(alert: UserModel) -> UserQuery:
    """Return the query of an alert's first findings, after their count.

    Of rows with the same key, or without a key of equal rows, the first is a finding.
    """
    row = '"(row)"'  # no name of a column
    key = ", ".join(f'{row}."{name}"' for name in alert.header.key) or row
    return replace(
        alert.query,
        sql="select total, unnest(finding) from (select count(*) over () as total, finding"
        f" from (select arg_min({row}, place) as finding, min(place) as place"
        f" from (select {row}, row_number() over () as place from ({alert.sql}\n) as {row})"
        f" group by {key}) order by place limit {KEPT_FINDINGS})",
    )


def _findings(alert: UserModel, answer: Answer) -> list[Finding]:
    """Return a finding for each row."""
    if answer.frame is None:
        return []
    name, header = alert.file.name, alert.header
    columns = [column for column, _ in answer.columns[1:]]
    key = header.key or columns
    title = escaped(header.description or name)[:_SHOWN_TEXT]
    severity = header.severity or "warning"
    findings = []
    for number, (count, *values) in enumerate(answer.frame.iter_rows(), 1):
        row = dict(zip(columns, map(_text, values), strict=True))
        by_name = {column.lower(): text for column, text in row.items()}
        identity = _identity(name, {each: by_name[each.lower()] for each in key})
        findings.append(Finding(name, title, severity, number, count, identity, _in_words(row)))
    return findings


def _identity(alert: str, row: dict[str, str | None]) -> str:
    """Return a hash of an alert's name and values."""
    return hashlib.sha256(json.dumps([alert, row]).encode()).hexdigest()[:32]


def _in_words(row: dict[str, str | None]) -> str:
    """Return what is known of a row on one line: long values, and a long row, are cut."""
    cells = [
        f"{escaped(name)}: {shortened(escaped(text), _SHOWN_TEXT)}"
        for name, text in row.items()
        if text is not None
    ]
    return shortened(", ".join(cells) or "nothing known", _LONGEST)


def _text(value: Any) -> str | None:
    """Return a value as text; of an amount all digits, without zeros after the cents."""
    match value:
        case None:
            return None
        case Decimal():
            whole, point, digits = numbers.usd_exact(value).partition(".")
            return f"{whole}{point}{digits[:2]}{digits[2:].rstrip('0')}"
        case _:
            return str(value)
