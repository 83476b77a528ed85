"""Checks: queries that must return no row, each named as the claim that it tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from analytics.resources import folder
from analytics.transform.comments import comment_on
from analytics.transform.models import (
    Header,
    ModelError,
    read_header,
    read_models,
    references,
    short_name,
)

SHOWN_ROWS = 5

_RESULTS = "marts_file.marts.fct_check_results"
_RESULTS_HEADER = Header(
    "What the last batch's checks found. Grain: check.",
    key=("check_name",),
)


@dataclass(frozen=True)
class CheckResult:
    """What a check found: how many rows contradict its claim, and the first of them."""

    name: str
    claim: str
    violation_count: int
    violations: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """Whether the claim holds."""
        return self.violation_count == 0


@dataclass(frozen=True)
class _Check:
    name: str
    claim: str
    file: str
    sql: str


def run_checks(con: duckdb.DuckDBPyConnection, *, queries: Path | None = None) -> list[CheckResult]:
    """Run every check on the built relations, and keep the results in `marts.fct_check_results`.

    Raises ModelError, which names the file, for a check that cannot be run.
    """
    results = [_run(con, check) for check in _all_checks(con, queries or folder("queries"))]
    _store(con, results)
    return results


def _all_checks(con: duckdb.DuckDBPyConnection, queries: Path) -> Iterator[_Check]:
    """The keys that marts state in their headers, then the files of `checks/`."""
    for model in read_models(con, queries):
        if model.layer == "marts" and model.header.key:
            key = ", ".join(model.header.key)
            yield _Check(
                f"{model.name}_key_is_unique",
                f"{model.name} holds one row per {key}.",
                model.file,
                f"select {key}, count(*) as row_count from {model.relation} "
                f"group by {key} having row_count > 1",
            )
    for path in sorted((queries / "checks").glob("*.sql")):
        file, sql = short_name(path), path.read_text(encoding="utf-8")
        references(con, file, sql)
        yield _Check(path.stem, read_header(sql).description, file, sql)


def _run(con: duckdb.DuckDBPyConnection, check: _Check) -> CheckResult:
    counted = f"select count(*) over (), violations.* from (\n{check.sql}\n) as violations"
    try:
        found = con.execute(f"{counted} limit {SHOWN_ROWS}")
        columns = [name for name, *_ in found.description[1:]]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise ModelError(check.file, str(error)) from error
    violations = tuple(dict(zip(columns, row[1:], strict=True)) for row in rows)
    return CheckResult(check.name, check.claim, rows[0][0] if rows else 0, violations)


def _store(con: duckdb.DuckDBPyConnection, results: list[CheckResult]) -> None:
    con.begin()
    con.execute(
        f"create or replace table {_RESULTS} (checked_at timestamptz, check_name varchar, "
        "claim varchar, violation_count bigint, is_ok boolean)"
    )
    con.executemany(
        f"insert into {_RESULTS} values (now(), ?, ?, ?, ?)",
        [(result.name, result.claim, result.violation_count, result.ok) for result in results],
    )
    comment_on(con, _RESULTS, _RESULTS_HEADER)
    con.commit()
