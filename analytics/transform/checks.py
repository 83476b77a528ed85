"""Checks: queries that must return no row, each named after its claim.

Most check keys and sums of our own, and always stop publishing. A check whose header names a
control compares two sources of the API that are independent of each other and may be late or
wrong: its rows are all that it compares, of each `measure` both numbers (`ours`, `theirs`), by how
much they may differ (`tolerance`), and whether the day is closed (`is_closed`). Of the measure that
the header names, the sums are published. It stops publishing only where a closed day differs by
more than a number of its unit, and by more than one percent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb

from analytics.files import folder
from analytics.format.numbers import plural
from analytics.machine_clock import machine_time
from analytics.terminal import Before
from analytics.transform.build import all_models, build_on_results
from analytics.transform.check_results import (
    CONTROLS,
    FINDINGS,
    KEPT_FINDINGS,
    RESULTS,
    create_results,
)
from analytics.transform.header_checks import header_checks
from analytics.transform.incremental import Update
from analytics.transform.models import Header, ModelError, SqlModel, read_folder
from analytics.transform.parsing import parse
from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import record_count, transaction
from analytics.warehouse.sources import MOST_RUNS_APART

SHOWN_ROWS = 3
_MOST_RECORDS = 1_000_000
"""The most records for which the memory of all questions of a check is no matter."""

_DIFFERS = "abs(ours - theirs) > tolerance"
_USD = "if(ends_with(measure, '_usd'), ours - theirs, null)"
# Above its threshold, of tokens, requests, runs or dollars, and above one percent, a difference
# blocks: on a day of thousands of dollars, what the API corrects late is more than a fixed amount.
_BLOCKS = f"""
    is_closed
    and abs(ours - theirs) - tolerance > case
        when measure in ('tokens_in', 'tokens_out') then 1000000
        when measure = 'request_count' then 100
        when measure like '%count' then {MOST_RUNS_APART}
        else $block_above_usd
    end
    and (abs(ours - theirs) - tolerance) * 100 > abs(theirs)"""


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
    violation_count: int = 0
    blocking_count: int = 0
    violations: tuple[dict[str, Any], ...] = ()
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
        shown = "; ".join(
            ", ".join(
                f"{name} {value.normalize():f}" if isinstance(value, Decimal) else f"{name} {value}"
                for name, value in row.items()
            )
            for row in self.violations
        )
        return f"{self.name} ({plural(self.violation_count, 'row')}): {shown}"


@dataclass(frozen=True)
class Check:
    """A claim, and SELECTs of what contradicts it, or of all that a control compares.

    It passes if none of its `questions` returns a row; there are several where it is of several
    tables.
    """

    name: str
    header: Header
    questions: tuple[SqlModel, ...]

    @property
    def violations(self) -> str:
        """The SELECT of what contradicts the claim; of several, which of them does."""
        if self.header.control:
            return f"from (\n{self.questions[0].sql}\n) where {_DIFFERS}"
        if len(self.questions) == 1:
            return self.questions[0].sql
        return " union all ".join(
            f"select '{each.name}' as question, to_json(rows)::varchar as found"
            f" from (\n{each.sql}\n) as rows"
            for each in self.questions
        )


def run_checks(
    con: duckdb.DuckDBPyConnection,
    *,
    block_above_usd: Decimal = Decimal(10),
    queries: Path | None = None,
    update: Update | None = None,
    before: Before | None = None,
) -> list[CheckResult]:
    """Run every check on the built relations, and store the results in one transaction.

    Of an update, a check that passed before is run on what changed. `audit.check_results` has each
    check, `audit.controls` what each control compared, and `audit.control_findings` each
    difference. `before` is told of each check. Raises ModelError, which names the file, for a check
    that cannot be run.
    """
    queries = queries or folder("queries")
    checks = all_checks(queries)
    on = cache(update.on) if update else lambda _: None
    records = update.changes.record_count if update else record_count(con)
    parts = {check.name: check for check in checks}
    if records > _MOST_RECORDS:
        parts = {q.name: replace(each, questions=(q,)) for each in checks for q in each.questions}
    if update:  # which may not be parsed side by side
        parse(each.sql for check in checks for each in check.questions)
    answers = run_all(
        con,
        parts,
        lambda connection, check: _ask(connection, check, on(connection)),
        before=before,
        records=records,
    )
    asked = [(parts[name], rows) for name, rows in answers.items() if rows is not None]
    found = {check.name for check, rows in asked if any(differs for *_, differs in rows)}
    results = [
        _run(con, check, block_above_usd) if check.name in found else _result(check)
        for check in checks
    ]
    with transaction(con):
        create_results(con)
        for check, rows in asked:
            if check.header.control:
                _store_control(con, check, rows)
        store_results(con, results)
        build_on_results(con, queries)
    return results


def all_checks(queries: Path) -> list[Check]:
    """Return the checks that headers of models declare, then those of the files of `checks/`."""
    declared = defaultdict[tuple[str, str], list[SqlModel]](list)
    for model in all_models(queries):
        for check, question in header_checks(model):
            declared[check].append(question)
    files = read_folder("checks", queries / "checks")
    return [
        *(Check(name, Header(claim), tuple(asked)) for (name, claim), asked in declared.items()),
        *(Check(each.name, each.header, (each,)) for each in files),
    ]


def _ask(
    con: duckdb.DuckDBPyConnection, check: Check, update: Update | None = None
) -> list[tuple[Any, ...]] | None:
    """Return rows that end with whether one contradicts a check; of a control, its sums before.

    These are of each workspace. Of an update, a check that passed before is asked of what changed;
    None if nothing did.
    """
    if update and check.name in update.passed_checks:
        texts = ((each, update.narrowed(each)) for each in check.questions)
        questions = tuple(replace(each, sql=sql) for each, sql in texts if sql is not None)
        if not questions:
            return None
        check = replace(check, questions=questions)
    # Not EXISTS: where statistics have a join give nothing, DuckDB 2.0.1 says so of two rows.
    select = f"select count(*) > 0 from (\n{check.violations}\n)"
    if check.header.control:
        is_summed = f"filter (measure = '{check.header.measure}')"
        select = f"""
            select
                workspace_id, count(*) {is_summed}, sum(ours) {is_summed}, sum(theirs) {is_summed},
                bool_or({_DIFFERS})
            from (\n{check.questions[0].sql}\n)
            where ours - theirs is not null
            group by workspace_id"""
    return _read(con, check, select)[1]


def _result(check: Check, *found: Any) -> CheckResult:
    header = check.header
    return CheckResult(check.name, header.description, header.control, header.sources, *found)


def _run(con: duckdb.DuckDBPyConnection, check: Check, block_above_usd: Decimal) -> CheckResult:
    """Count what contradicts a claim, and read the first of it; of a control, the largest."""
    blocking, columns, order, values = "true", "*", "columns(*)", dict[str, Decimal]()
    if check.header.control:
        blocking = _BLOCKS
        columns = f"* exclude (tolerance, is_closed), {_USD} as difference_usd, is_closed"
        order = f"{_BLOCKS} desc, abs(difference_usd) desc nulls last, {order}"
        values = {"block_above_usd": block_above_usd}
    (_, _, *names), rows = _read(
        con,
        check,
        f"select count(*) over (), count(*) filter ({blocking}) over (), {columns}"
        f" from (\n{check.violations}\n) order by {order} limit {SHOWN_ROWS}",
        values,
    )
    violations = tuple(dict(zip(names, row[2:], strict=True)) for row in rows)
    found_count, blocking_count = rows[0][:2] if rows else (0, 0)
    return _result(check, found_count, blocking_count, violations)


def _read(
    con: duckdb.DuckDBPyConnection, check: Check, select: str, values: object = None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of a SELECT; ModelError names the file, or the headers' check."""
    try:
        found = con.execute(select, values)
        return [name for name, *_ in found.description], found.fetchall()
    except duckdb.Error as error:
        (file, *others) = (each.file for each in check.questions)
        raise ModelError(check.name if others else file, str(error)) from error


def _store_control(
    con: duckdb.DuckDBPyConnection, check: Check, sums: Sequence[tuple[Any, ...]]
) -> None:
    """Store what a control compared, in place of what it did before, and its differences.

    A column that the control does not have is null.
    """
    header = check.header
    con.execute(f"delete from {CONTROLS} where control = ?", [header.control])
    for workspace_id, count, ours, theirs, _ in sums:
        if count:
            named = workspace_id, header.control, header.measure, *header.sources
            insert = f"insert into {CONTROLS} values (?, ?, ?, ?, ?, ?, ?, ?)"
            con.execute(insert, [*named, count, ours, theirs])
    if any(differs for *_, differs in sums):
        con.execute(
            f"""
            insert into {FINDINGS}
            with violations as (
                from {FINDINGS} where false
                union all by name
                select *, {_USD} as difference_usd from (\n{check.violations}\n)
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
            {"name": check.name, "control": header.control},
        )


def store_results(con: duckdb.DuckDBPyConnection, results: Sequence[CheckResult]) -> None:
    """Add results in one statement: a statement for each takes as long as the checks."""
    now = machine_time()  # a close has it, too: its checks are from before
    rows = [
        (
            now,
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
    marks = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?)"] * len(rows))
    if rows:
        con.execute(f"insert into {RESULTS} values {marks}", list(chain.from_iterable(rows)))
