"""Checks: queries that must return no row, each named after its claim.

Most check keys and sums of our own, and always stop publishing. A check whose header names a
control compares two sources of the API that are independent of each other and may be late or
wrong: its rows have the `measure`, both numbers (`ours`, `theirs`), the `difference` that nothing
explains (`difference_usd`, too, null for counts and tokens), and whether the day is closed
(`is_closed`). It stops publishing only where a closed day differs by more than both thresholds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from analytics.format.numbers import plural
from analytics.parts import Before
from analytics.resources import folder
from analytics.transform.build import all_models, build_on_results
from analytics.transform.check_results import FINDINGS, KEPT_FINDINGS, RESULTS, create_results
from analytics.transform.header_checks import header_checks
from analytics.transform.incremental import Update
from analytics.transform.models import (
    PUBLISHED,
    Header,
    ModelError,
    SqlModel,
    read_header,
    references,
    short_name,
)
from analytics.transform.parsing import parse
from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import record_count, transaction
from analytics.warehouse.sources import MOST_RUNS_APART

SHOWN_ROWS = 3
_TOGETHER = 6
_MOST_RECORDS = 1_000_000
"""Checks in one statement, and the most records for which their memory is no matter."""

# Above its threshold and the percentage, a difference blocks: of tokens, requests, runs, dollars.
_BLOCKS = f"""
    is_closed
    and abs(difference) > case
        when measure in ('tokens_in', 'tokens_out') then 1000000
        when measure = 'request_count' then 100
        when measure like '%count' then {MOST_RUNS_APART}
        else $usd
    end
    and abs(difference) * 100 > $percent * coalesce(abs(theirs), 0)"""


@dataclass(frozen=True)
class Thresholds:
    """Allowed difference of a closed day from the vendor's figures: above both it blocks.

    `usd` is of amounts; runs, requests and tokens have numbers of their own in its place. On a day
    of thousands of dollars, what the API corrects late is more than any fixed amount, so that up to
    one percent never blocks.
    """

    usd: Decimal = Decimal(10)
    percent: Decimal = Decimal(1)


@dataclass(frozen=True)
class CheckResult:
    """The result of a check: the number of rows that contradict its claim, and the first of them.

    `control` is None for a check of keys and sums of our own; a control against the API has two
    independent `sources`. `blocking_count` rows are reason not to publish. A check of the user's
    own that cannot be run has an `error`.
    """

    name: str
    claim: str
    control: str | None
    sources: tuple[str, ...]
    violation_count: int
    blocking_count: int
    violations: tuple[dict[str, Any], ...]
    error: str | None = None

    @property
    def ok(self) -> bool:
        """True if the check passed."""
        return self.violation_count == 0 and self.error is None

    @property
    def finding(self) -> str:
        """The contradicting rows in one line: day, agent and numbers; or the error."""
        if self.error is not None:
            return f"{self.name} cannot be run: {self.error}"
        rows = plural(self.violation_count, "row")
        shown = "; ".join(
            ", ".join(f"{name} {_plain(value)}" for name, value in row.items())
            for row in self.violations[:SHOWN_ROWS]
        )
        return f"{self.name} ({rows}): {shown}"


def run_checks(
    con: duckdb.DuckDBPyConnection,
    *,
    thresholds: Thresholds | None = None,
    queries: Path | None = None,
    update: Update | None = None,
    before: Before | None = None,
) -> list[CheckResult]:
    """Run every check on the built relations, and store the results in one transaction.

    Of an update, a check that passed before is run on what changed. `audit.check_results` has each
    check, and `audit.control_findings` each difference to the API. `before` is told of each check.
    Raises ModelError, which names the file, for a check that cannot be run.
    """
    queries = queries or folder("queries")
    checks = _all_checks(con, queries)
    on = cache(update.on) if update else lambda _: None

    def run(
        connection: duckdb.DuckDBPyConnection, group: Sequence[SqlModel]
    ) -> dict[str, CheckResult]:
        passed = _passed(connection, group, on(connection))
        return {
            check.name: _result(check)
            if check.name in passed
            else _run(connection, check, thresholds or Thresholds())
            for check in group
        }

    records = update.changes.record_count if update else record_count(con)
    size = _TOGETHER if records <= _MOST_RECORDS else 1
    groups = {checks[at].name: checks[at : at + size] for at in range(0, len(checks), size)}
    found = run_all(con, groups, run, before=before, records=records)
    results = dict(chain.from_iterable(each.items() for each in found.values()))
    with transaction(con):
        create_results(con)
        for name, result in results.items():
            if result.control and not result.ok:
                _store_findings(con, next(check for check in checks if check.name == name))
        store_results(con, [*results.values()])
        build_on_results(con, queries)
    return [*results.values()]


def parse_queries(queries: Path) -> None:
    """Parse the files of models and checks, which are then not parsed again."""
    all_models(queries)
    parse(_texts(queries).values())


def _texts(queries: Path) -> dict[Path, str]:
    files = sorted((queries / "checks").glob("*.sql"))
    return {path: path.read_text(encoding="utf-8") for path in files}


def _all_checks(con: duckdb.DuckDBPyConnection, queries: Path) -> list[SqlModel]:
    """Return the checks that headers of models declare, then the files of `checks/`."""
    found: list[tuple[str, str, Header, str]] = []
    for model in all_models(queries):
        if model.layer in PUBLISHED or model.header.conserves or model.header.sums:
            try:
                found += [
                    (check.name, model.file, check.header, check.sql)
                    for check in header_checks(con, model)
                ]
            except duckdb.Error as error:
                raise ModelError(model.file, str(error)) from error
    for path, sql in _texts(queries).items():
        found.append((path.stem, short_name(path), read_header(sql), sql))
    parse(sql for *_, sql in found)
    return [
        SqlModel("checks", name, file, header, references(file, sql), sql)
        for name, file, header, sql in found
    ]


def _passed(
    con: duckdb.DuckDBPyConnection, group: Sequence[SqlModel], update: Update | None
) -> frozenset[str]:
    """Return the checks that find nothing, by one statement; of an update, in what changed.

    A statement for each takes twice as long. Where it cannot be run, none has passed: run alone,
    the check that is the reason tells so.
    """
    texts = {
        check.name: update.narrowed(check)
        if update and check.name in update.passed_checks
        else check.sql
        for check in group
    }
    asked = {name: sql for name, sql in texts.items() if sql is not None}
    if not asked:
        return frozenset(texts)
    statement = " union all ".join(
        f"select '{name}', exists (from (\n{sql}\n))" for name, sql in asked.items()
    )
    try:
        found = {name for name, is_found in con.execute(statement).fetchall() if is_found}
    except duckdb.InterruptException:
        raise
    except duckdb.Error:
        return frozenset()
    return frozenset(texts.keys() - found)


def _result(
    check: SqlModel,
    violation_count: int = 0,
    blocking_count: int = 0,
    violations: tuple[dict[str, Any], ...] = (),
) -> CheckResult:
    header = check.header
    return CheckResult(
        check.name,
        header.description,
        header.control,
        header.sources,
        violation_count,
        blocking_count,
        violations,
    )


def _run(con: duckdb.DuckDBPyConnection, check: SqlModel, thresholds: Thresholds) -> CheckResult:
    blocking, order, values = "true", "", {}
    if check.header.control:
        blocking = _BLOCKS
        order = f"order by coalesce({_BLOCKS}, false) desc, abs(difference_usd) desc nulls last"
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
    return _result(check, found_count, blocking_count, violations)


def _plain(value: Any) -> str:
    """Format a decimal without exponent or trailing zeros."""
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _store_findings(con: duckdb.DuckDBPyConnection, check: SqlModel) -> None:
    """Store the rows of a failed control; a column that the control does not have is null."""
    try:
        con.execute(
            f"""
            insert into {FINDINGS}
            with violations as (
                from {FINDINGS} where false
                union all by name
                from (\n{check.sql}\n)
            )
            select
                $name, $control, workspace_id, row_number() over largest,
                count(*) over (partition by workspace_id), agent_id, utc_date, run_id, provider,
                measure, ours, theirs, difference_usd, is_closed
            from violations
            window largest as (
                partition by workspace_id
                order by
                    abs(difference_usd) desc nulls last, abs(ours - theirs) desc nulls last,
                    utc_date desc, agent_id, run_id, provider, measure
            )
            qualify row_number() over largest <= {KEPT_FINDINGS}""",
            {"name": check.name, "control": check.header.control},
        )
    except duckdb.Error as error:
        raise ModelError(check.file, str(error)) from error


def store_results(con: duckdb.DuckDBPyConnection, results: Sequence[CheckResult]) -> None:
    """Add results in one statement: a statement for each takes as long as the checks."""
    rows = [
        (
            result.name,
            result.claim,
            result.control,
            " | ".join(result.sources) or None,
            None if result.error else result.violation_count,
            result.ok,
            result.blocking_count > 0,
            None if result.ok else result.finding,
        )
        for result in results
    ]
    marks = ", ".join(["(now(), ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    if rows:
        con.execute(f"insert into {RESULTS} values {marks}", list(chain.from_iterable(rows)))
