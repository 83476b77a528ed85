"""Checks of a project: its files of `queries/checks/`, and those that headers of its marts declare.

They warn; one whose header says `-- blocking: true` stops publishing while it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from analytics.project.files import Refused
from analytics.project.project import UserModel
from analytics.project.runner import Runner, UserQuery
from analytics.terminal import Before, tracked
from analytics.transform.checks import SHOWN_ROWS, CheckResult
from analytics.transform.header_checks import header_checks
from analytics.warehouse.confined import CUSTOM

PREFIX = f"{CUSTOM}."
"""The beginning of the names of a user's checks."""

_SHOWN_COLUMNS = 12
_SHOWN_TEXT = 200


@dataclass(frozen=True)
class UserCheck:
    """A check to run: its SELECT of contradicting rows, its claim, and if it stops publishing."""

    query: UserQuery
    claim: str
    is_blocking: bool


def checks_of_files(
    files: Sequence[UserModel], declared: Sequence[UserCheck]
) -> tuple[list[UserCheck], list[Refused]]:
    """Return the checks of `queries/checks/`; refuse those named like a check of a header.

    A file without a claim is claimed by its name.
    """
    names = {check.query.name for check in declared}
    checks: list[UserCheck] = []
    refused: list[Refused] = []
    for each in files:
        kind, file, name = each.file.kind, each.file.file, each.file.name
        if name in names:
            error = f"{file}: call it by another name: the header of a mart declares this check"
            refused.append(Refused(kind, file, name, error))
        else:
            claim = each.header.description or name
            checks.append(UserCheck(each.query, claim, _is_blocking(each)))
    return checks, refused


def checks_of_headers(marts: Sequence[UserModel]) -> list[UserCheck]:
    """Return the checks that the headers of marts declare."""
    return [
        UserCheck(
            UserQuery(mart.file.file, check.name, check.sql),
            check.header.description,
            _is_blocking(mart),
        )
        for mart in marts
        for _, check in header_checks(mart.model)
    ]


def run_checks(
    runner: Runner,
    database: Path,
    own: Path,
    checks: Sequence[UserCheck],
    before: Before | None = None,
) -> Iterator[tuple[CheckResult, float]]:
    """Run checks on `database` and the tables of `own`; yield each result, and its seconds."""
    queries = [
        replace(
            check.query,
            sql=f"select count(*) over (), violations.* from ({check.query.sql}\n) as violations"
            f" limit {SHOWN_ROWS}",
        )
        for check in checks
    ]
    asked = tracked(queries, before, attrgetter("file"))
    answers = runner.run(database, asked, own=own, rows=SHOWN_ROWS)
    for check, answer in zip(checks, answers, strict=True):
        columns = [name for name, _ in answer.columns[1:]]
        rows = [] if answer.frame is None else answer.frame.rows()
        count = rows[0][0] if rows else 0
        yield (
            CheckResult(
                PREFIX + check.query.name,
                check.claim,
                None,
                (),
                count,
                count if check.is_blocking else 0,
                tuple(_shown(columns, row[1:]) for row in rows),
                answer.error,
            ),
            answer.seconds,
        )


def _is_blocking(model: UserModel) -> bool:
    return model.header.blocking == "true"


def _shown(columns: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Return the first columns of a row, and of long texts the beginning."""
    return {
        name[:_SHOWN_TEXT]: value[:_SHOWN_TEXT] if isinstance(value, str) else value
        for name, value in list(zip(columns, row, strict=True))[:_SHOWN_COLUMNS]
    }
