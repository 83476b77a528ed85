"""Checks: queries that must return no row, each named after its claim.

Most compare our figures with each other, and always block publishing. A check whose header names a
control compares them with the vendor's, which may be late or wrong: its rows have the difference
(`difference_usd`), the vendor's amount (`theirs_usd`), and `is_closed`. It blocks publishing only
if a closed day differs by more than both thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from analytics.resources import folder
from analytics.transform.comments import comment_on
from analytics.transform.models import (
    PUBLISHED,
    Header,
    ModelError,
    read_header,
    read_models,
    references,
    short_name,
)

SHOWN_ROWS = 3

_RESULTS = "build_file.audit.check_results"
_RESULTS_HEADER = Header(
    "What the last batch's checks found. Grain: check.",
    key=("check_name",),
)


@dataclass(frozen=True)
class Thresholds:
    """Allowed difference of a closed day from the vendor's figures: above both it blocks."""

    usd: Decimal = Decimal(10)
    percent: Decimal = Decimal(1)


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: the number of rows that contradict its claim, and the first of them.

    `control` is None for a check of our figures with each other; `blocking_count` rows block
    publishing.
    """

    name: str
    claim: str
    control: str | None
    violation_count: int
    blocking_count: int
    violations: tuple[dict[str, Any], ...]

    @property
    def ok(self) -> bool:
        """True if the check passed."""
        return self.violation_count == 0

    @property
    def finding(self) -> str:
        """The contradicting rows in one line: day, agent and numbers."""
        rows = "1 row" if self.violation_count == 1 else f"{self.violation_count:,} rows"
        shown = "; ".join(
            ", ".join(f"{name} {_plain(value)}" for name, value in row.items())
            for row in self.violations[:SHOWN_ROWS]
        )
        return f"{self.name} ({rows}): {shown}"


@dataclass(frozen=True)
class _Check:
    name: str
    claim: str
    control: str | None
    file: str
    sql: str


def run_checks(
    con: duckdb.DuckDBPyConnection,
    *,
    thresholds: Thresholds | None = None,
    queries: Path | None = None,
) -> list[CheckResult]:
    """Run every check on the built relations, and store the results in `audit.check_results`.

    Raises ModelError, which names the file, for a check that cannot be run.
    """
    checks = _all_checks(con, queries or folder("queries"))
    results = [_run(con, check, thresholds or Thresholds()) for check in checks]
    _store(con, results)
    return results


def _all_checks(con: duckdb.DuckDBPyConnection, queries: Path) -> Iterator[_Check]:
    """Yield a check for each key in the marts' headers, then the files of `checks/`."""
    for model in read_models(con, queries):
        if model.layer in PUBLISHED and model.header.key:
            key = ", ".join(model.header.key)
            yield _Check(
                f"{model.name}_key_is_unique",
                f"{model.name} holds one row per {key}.",
                None,
                model.file,
                f"select {key}, count(*) as row_count from {model.relation} "
                f"group by {key} having row_count > 1",
            )
    for path in sorted((queries / "checks").glob("*.sql")):
        file, sql = short_name(path), path.read_text(encoding="utf-8")
        references(con, file, sql)
        header = read_header(sql)
        yield _Check(path.stem, header.description, header.control, file, sql)


def _run(con: duckdb.DuckDBPyConnection, check: _Check, thresholds: Thresholds) -> CheckResult:
    blocking, order, values = "true", "", {}
    if check.control:
        blocking = (
            "is_closed and abs(difference_usd) > $usd"
            " and abs(difference_usd) * 100 > $percent * coalesce(abs(theirs_usd), 0)"
        )
        order = "order by abs(difference_usd) desc nulls last"
        values = {"usd": thresholds.usd, "percent": thresholds.percent}
    try:
        found = con.execute(
            f"select count(*) over (), count(*) filter ({blocking}) over (), violations.*"
            f" from (\n{check.sql}\n) as violations {order} limit {SHOWN_ROWS}",
            values,
        )
        columns = [name for name, *_ in found.description[2:]]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise ModelError(check.file, str(error)) from error
    violations = tuple(dict(zip(columns, row[2:], strict=True)) for row in rows)
    found_count, blocking_count = rows[0][:2] if rows else (0, 0)
    return CheckResult(
        check.name, check.claim, check.control, found_count, blocking_count, violations
    )


def _plain(value: Any) -> str:
    """Format a decimal without exponent or trailing zeros."""
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _store(con: duckdb.DuckDBPyConnection, results: list[CheckResult]) -> None:
    con.begin()
    con.execute(
        f"create or replace table {_RESULTS} (checked_at timestamptz, check_name varchar, "
        "claim varchar, control varchar, violation_count bigint, is_ok boolean, "
        "is_blocking boolean, finding varchar)"
    )
    con.executemany(
        f"insert into {_RESULTS} values (now(), ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                result.name,
                result.claim,
                result.control,
                result.violation_count,
                result.ok,
                result.blocking_count > 0,
                None if result.ok else result.finding,
            )
            for result in results
        ],
    )
    comment_on(con, _RESULTS, _RESULTS_HEADER)
    con.commit()
