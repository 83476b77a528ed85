"""Checks: queries that must return no row, each named after its claim.

Most check keys and sums of our own, and always stop publishing. A check whose header names a
control compares two sources of the API that are independent of each other and may be late or
wrong: its rows are all that it compares, of each `measure` both numbers (`ours`, `theirs`), by how
much they may differ (`tolerance`), and whether the day is closed (`is_closed`). Of the measure that
the header names, the sums are published. It stops publishing only where a closed day differs by
more than both thresholds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from analytics.transform.models import (
    PUBLISHED,
    Header,
    ModelError,
    SqlModel,
    read_folder,
)
from analytics.transform.parsing import parse
from analytics.transform.side_by_side import run_all
from analytics.warehouse.database import record_count, transaction
from analytics.warehouse.sources import MOST_RUNS_APART

SHOWN_ROWS = 3
_TOGETHER = 24
_MOST_RECORDS = 1_000_000
"""Questions in one statement, and the most records for which their memory is no matter."""

MERGED = {
    KEYS: (
        "keys_are_unique_and_known",
        "Each row has a key of its own, no key is null, and no value is unlisted.",
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
    # What is narrowed to touched parts has to be asked before these are those of the next one.
    size = 1 if update or records > _MOST_RECORDS else _TOGETHER
    asked = [(check, each) for check in checks for each in check.questions]
    if update:  # the parser is of one thread
        parse(each.sql for _, each in asked)
    groups = {asked[at][1].name: asked[at : at + size] for at in range(0, len(asked), size)}
    answers = run_all(
        con,
        groups,
        lambda connection, group: _ask(connection, _changed(group, on(connection))),
        before=before,
        records=records,
    )
    found: set[str] = set()
    sums: dict[str, list[dict[str, Any]]] = {}
    for name, is_found, compared in chain.from_iterable(answers.values()):
        if is_found:
            found.add(name)
        sums[name] = compared or []
    results = [
        _run(con, check, thresholds or Thresholds()) if check.name in found else _result(check)
        for check in checks
    ]
    with transaction(con):
        create_results(con)
        for check, result in zip(checks, results, strict=True):
            if check.header.control and check.name in sums:
                _store_sums(con, check.header, sums[check.name])
            if check.header.control and not result.ok:
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
            try:
                for each in header_checks(con, model):
                    asked = SqlModel(
                        "checks", each.name, model.file, each.header, each.reads, each.probe
                    )
                    if each.kind:
                        row = f"select '{model.name}' as relation, to_json(rows)::varchar as found"
                        merged[each.kind].append((asked, f"{row} from ({each.sql}) as rows"))
                    else:
                        checks.append(Check(each.name, each.header, each.sql, (asked,)))
            except duckdb.Error as error:
                raise ModelError(model.file, str(error)) from error
    for kind, (name, claim) in MERGED.items():
        questions, selects = zip(*merged[kind], strict=True)
        checks.append(Check(name, Header(claim), " union all ".join(selects), questions))
    files = read_folder("checks", queries / "checks")
    return [*checks, *(Check(each.name, each.header, each.sql, (each,)) for each in files)]


_Question = tuple[Check, SqlModel, str]
_Answer = tuple[str, bool, list[dict[str, Any]] | None]


def _changed(group: Sequence[tuple[Check, SqlModel]], update: Update | None) -> Iterator[_Question]:
    """Yield the questions of a group with their SQL: of an update, those that may fail now."""
    for check, question in group:
        sql: str | None = question.sql
        if update and check.name in update.passed_checks:
            sql = update.narrowed(question)
        if sql is not None:
            yield check, question, sql


def _ask(con: duckdb.DuckDBPyConnection, asked: Iterable[_Question]) -> list[_Answer]:
    """Return of each question its check, whether a row contradicts it, and what was compared.

    One statement asks all: a statement for each takes twice as long. Where it cannot be run, each
    is run alone, so that the error names the file.
    """
    questions = [*asked]
    if not questions:
        return []
    statement = " union all ".join(_asking(check, sql) for check, _, sql in questions)
    try:
        return con.execute(statement).fetchall()
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        if len(questions) == 1:
            raise ModelError(questions[0][1].file, str(error)) from error
        return [answer for each in questions for answer in _ask(con, [each])]


def _asking(check: Check, sql: str) -> str:
    """Return a SELECT of the answer to a question: of a control with its sums by workspace."""
    if not check.header.control:
        return f"select '{check.name}' as name, exists (from (\n{sql}\n)) as is_found, null as sums"
    is_summed = f"filter (measure = '{check.header.measure}')"
    return f"""
        select '{check.name}' as name, coalesce(bool_or(differs), false) as is_found, list(sums)
        from (
            select
                bool_or({_DIFFERS}) as differs,
                {{
                    workspace_id: workspace_id,
                    compared_count: count(*) {is_summed},
                    ours: sum(ours) {is_summed},
                    theirs: sum(theirs) {is_summed}
                }} as sums
            from (\n{sql}\n)
            where ours - theirs is not null
            group by workspace_id
        )"""


def _result(
    check: Check,
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
    con: duckdb.DuckDBPyConnection, header: Header, sums: Sequence[dict[str, Any]]
) -> None:
    """Store what a control compared in place of what it compared before."""
    con.execute(f"delete from {CONTROLS} where control = ?", [header.control])
    for each in sums:
        if each["compared_count"]:
            con.execute(
                f"insert into {CONTROLS} values (?, ?, ?, ?, ?, ?, ?, ?)",
                [each.pop("workspace_id"), header.control, header.measure, *header.sources,
                 *each.values()],
            )  # fmt: skip


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
