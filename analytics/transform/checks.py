"""Checks: queries that must return no row, each named after its claim.

Most check keys and sums of our own, and always stop publishing. A check whose header names a
control compares two sources of the API that are independent of each other and may be late or
wrong: its rows are all that it compares, of each `measure` both numbers (`ours`, `theirs`), by how
much they may differ (`tolerance`), and whether the day is closed (`is_closed`). Of the measure that
the header names, the sums are published. It stops publishing only where a closed day differs by
more than both thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from analytics.transform.check_results import (
    CONTROLS,
    FINDINGS,
    KEPT_FINDINGS,
    RESULTS,
    create_results,
)
from analytics.transform.header_checks import KEYS, header_checks
from analytics.transform.incremental import Update
from analytics.transform.models import PUBLISHED, Header, ModelError, SqlModel, read_folder
from analytics.transform.parsing import parse
from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import record_count, transaction
from analytics.warehouse.sources import MOST_RUNS_APART

SHOWN_ROWS = 3
_MOST_RECORDS = 1_000_000
"""The most records for which the memory of all questions of a check is no matter."""

MERGED = {
    KEYS: (
        "keys_are_unique_and_known",
        "Each row has a key of its own without a null; kinds and states are known ones.",
    ),
    "dim_agents": ("agents_are_in_dim_agents", "Each agent of a table is in dim_agents."),
    "dim_workspaces": (
        "workspaces_are_in_dim_workspaces",
        "Each workspace of a table is in dim_workspaces.",
    ),
    "fct_runs": ("runs_are_in_fct_runs", "Each run of a table is in fct_runs."),
}
"""Checks of all tables' headers that stand together: names and claims, by their kind."""

_DIFFERS = "abs(ours - theirs) > tolerance"
_USD = "if(ends_with(measure, '_usd'), ours - theirs, null)"
# Above its threshold and the percentage, a difference blocks: of tokens, requests, runs, dollars.
_BLOCKS = f"""
    is_closed
    and abs(ours - theirs) - tolerance > case
        when measure in ('tokens_in', 'tokens_out') then 1000000
        when measure = 'request_count' then 100
        when measure like '%count' then {MOST_RUNS_APART}
        else $usd
    end
    and (abs(ours - theirs) - tolerance) * 100 > $percent * abs(theirs)"""


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
        rows = plural(self.violation_count, "row")
        shown = "; ".join(
            ", ".join(f"{name} {_plain(value)}" for name, value in row.items())
            for row in self.violations[:SHOWN_ROWS]
        )
        return f"{self.name} ({rows}): {shown}"


@dataclass(frozen=True)
class Check:
    """A claim: the SELECT of what contradicts it, or of all that a control compares.

    It passes if none of its `questions` returns a row; there are several where it is of several
    tables.
    """

    name: str
    header: Header
    sql: str
    questions: tuple[SqlModel, ...]

    @property
    def violations(self) -> str:
        """The SELECT of what contradicts the claim."""
        return f"from (\n{self.sql}\n) where {_DIFFERS}" if self.header.control else self.sql


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
    check, `audit.controls` what each control compared, and `audit.control_findings` each
    difference. `before` is told of each check. Raises ModelError, which names the file, for a check
    that cannot be run.
    """
    queries = queries or folder("queries")
    checks = all_checks(con, queries)
    on = cache(update.on) if update else lambda _: None
    records = update.changes.record_count if update else record_count(con)
    groups = {check.name: (check, check.questions) for check in checks}
    if records > _MOST_RECORDS:
        groups = {each.name: (check, (each,)) for check in checks for each in check.questions}
    if update:  # which may not be parsed side by side
        parse(each.sql for _, questions in groups.values() for each in questions)
    answers = run_all(
        con,
        groups,
        lambda connection, asked: _ask(connection, *asked, on(connection)),
        before=before,
        records=records,
    )
    asked = [(groups[name][0], *answer) for name, answer in answers.items() if answer]
    found = {check.name for check, is_found, _ in asked if is_found}
    results = [
        _run(con, check, thresholds or Thresholds()) if check.name in found else _result(check)
        for check in checks
    ]
    with transaction(con):
        create_results(con)
        for check, is_found, sums in asked:
            if check.header.control:
                _store_sums(con, check.header, sums or ())
                if is_found:
                    _store_findings(con, check)
        store_results(con, results)
        build_on_results(con, queries)
    return results


def parse_queries(queries: Path) -> None:
    """Parse the files of models and checks, which are then not parsed again."""
    all_models(queries)
    read_folder("checks", queries / "checks")


def all_checks(con: duckdb.DuckDBPyConnection, queries: Path) -> list[Check]:
    """Return the checks that headers of models declare, then those of the files of `checks/`."""
    merged: dict[str, list[tuple[SqlModel, str]]] = {kind: [] for kind in MERGED}
    checks: list[Check] = []
    for model in all_models(queries):
        if model.layer in PUBLISHED or model.header.conserves or model.header.sums:
            for each in header_checks(con, model):
                asked = SqlModel(
                    "checks", each.name, model.file, each.header, each.reads, each.probe or each.sql
                )
                if each.kind:
                    row = f"select '{model.name}' as relation, to_json(rows)::varchar as found"
                    merged[each.kind].append((asked, f"{row} from ({each.sql}) as rows"))
                else:
                    checks.append(Check(each.name, each.header, each.sql, (asked,)))
    for kind, (name, claim) in MERGED.items():
        questions, selects = zip(*merged[kind], strict=True)
        checks.append(Check(name, Header(claim), " union all ".join(selects), questions))
    files = read_folder("checks", queries / "checks")
    return [*checks, *(Check(each.name, each.header, each.sql, (each,)) for each in files)]


def _ask(
    con: duckdb.DuckDBPyConnection,
    check: Check,
    questions: Sequence[SqlModel],
    update: Update | None,
) -> Any:
    """Return whether a row contradicts a check, and what a control compared in each workspace.

    Of an update, a check that passed before is asked of what changed; None if nothing did.
    """
    texts: Sequence[str | None] = [each.sql for each in questions]
    if update and check.name in update.passed_checks:
        texts = [update.narrowed(each) for each in questions]
    asked = [f"(\n{text}\n)" for text in texts if text is not None]
    if not asked:
        return None
    select = f"select exists (select 1 from {' union all select 1 from '.join(asked)}), null"
    if check.header.control:
        is_summed = f"filter (measure = '{check.header.measure}')"
        select = f"""
            select coalesce(bool_or(differs), false), list(sums)
            from (
                select
                    bool_or({_DIFFERS}) as differs,
                    row(
                        workspace_id,
                        count(*) {is_summed},
                        sum(ours) {is_summed},
                        sum(theirs) {is_summed}
                    ) as sums
                from {asked[0]}
                where ours - theirs is not null
                group by workspace_id
            )"""
    try:
        return con.execute(select).fetchone()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if len(questions) == 1:
            raise ModelError(questions[0].file, str(error)) from error
        # Asked alone, the question that is the reason tells so.
        answers = [_ask(con, check, [each], update) for each in questions]
        return any(answer[0] for answer in answers if answer), None


def _result(check: Check, *found: Any) -> CheckResult:
    header = check.header
    return CheckResult(check.name, header.description, header.control, header.sources, *found)


def _run(con: duckdb.DuckDBPyConnection, check: Check, thresholds: Thresholds) -> CheckResult:
    """Count what contradicts a claim, and read the first of it; of a control, the largest."""
    blocking, columns, order, values = "true", "*", "", {}
    if check.header.control:
        blocking = _BLOCKS
        columns = f"* exclude (tolerance, is_closed), {_USD} as difference_usd, is_closed"
        order = f"order by {_BLOCKS} desc, abs(difference_usd) desc nulls last"
        values = {"usd": thresholds.usd, "percent": thresholds.percent}
    try:
        found = con.execute(
            f"select count(*) over (), count(*) filter ({blocking}) over (), {columns}"
            f" from (\n{check.violations}\n) {order} limit {SHOWN_ROWS}",
            values,
        )
        names = [name for name, *_ in found.description[2:]]
        rows = found.fetchall()
    except duckdb.Error as error:
        raise ModelError(check.questions[0].file, str(error)) from error
    violations = tuple(dict(zip(names, row[2:], strict=True)) for row in rows)
    found_count, blocking_count = rows[0][:2] if rows else (0, 0)
    return _result(check, found_count, blocking_count, violations)


def _plain(value: Any) -> str:
    """Format a decimal without exponent or trailing zeros."""
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _store_sums(
    con: duckdb.DuckDBPyConnection, header: Header, sums: Iterable[Sequence[Any]]
) -> None:
    """Store what a control compared in place of what it compared before."""
    con.execute(f"delete from {CONTROLS} where control = ?", [header.control])
    for workspace_id, count, ours, theirs in sums:
        if count:
            row = [workspace_id, header.control, header.measure, *header.sources]
            row += [count, ours, theirs]
            con.execute(f"insert into {CONTROLS} values (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _store_findings(con: duckdb.DuckDBPyConnection, check: Check) -> None:
    """Store the differences of a control; a column that the control does not have is null."""
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
        {"name": check.name, "control": check.header.control},
    )


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
