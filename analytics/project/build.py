"""Build a project's tables into schema `custom` of the build file; run its checks and alerts.

A file that is not right is left out, with its error; all else is built as if it were not there.
Checks warn; one whose header says `-- blocking: true` stops publishing while it fails. Each row of
an alert is a finding, with an identity that lasts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import astuple, dataclass, field, replace
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from analytics.bounded.confined import CUSTOM, RESULT, open_confined
from analytics.bounded.limits import Limits
from analytics.bounded.runner import Runner, UserQuery
from analytics.format import numbers
from analytics.format.names import shortened
from analytics.project.files import FoundFile, UserFile
from analytics.project.project import Project, UserModel, names_of_ours, read_project
from analytics.settings import Settings
from analytics.terminal import Before, escaped, tracked
from analytics.transform.check_results import (
    ALERT_FINDINGS,
    KEPT_FINDINGS,
    PROJECT_FILES,
    RESULTS,
)
from analytics.transform.checks import SHOWN_ROWS, CheckResult, store_results
from analytics.transform.frames import write_table
from analytics.transform.header_checks import header_checks
from analytics.transform.models import Header, comment_on
from analytics.warehouse.database import (
    BUILD_FILE,
    PUBLISHED_SCHEMAS,
    attached,
    attached_marts,
    quoted,
    transaction,
)
from analytics.warehouse.layout import Layout

_SCHEMA = f"{BUILD_FILE}.{CUSTOM}"
_PREFIX = f"{CUSTOM}."  # of the names of a user's checks
_SHOWN_COLUMNS = 12
_SHOWN_TEXT = 200
_LONGEST = 600


@dataclass(frozen=True)
class Finding:
    """A finding of an alert, one of `count`; `id` is the same in each batch that finds it again."""

    alert: str
    title: str
    severity: str
    number: int
    count: int
    id: str
    text: str


@dataclass(frozen=True)
class Built:
    """All files of a project, the results of its checks, those of headers included, and findings.

    Findings are those of its alerts.
    """

    files: list[FoundFile] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class UserCheck:
    """A check to run: its SELECT of contradicting rows, its claim, and if it stops publishing.

    `file` is that of `queries/checks/`; None of a check that the header of a mart declares.
    """

    query: UserQuery
    claim: str
    is_blocking: bool
    file: UserFile | None = None


def build_custom(
    con: duckdb.DuckDBPyConnection,
    database: Path,
    root: Path,
    limits: Limits,
    before: Before | None = None,
) -> Built:
    """Build the project `root` into the build file `database`, and store its results there.

    `con` is the warehouse, to which the build file is not attached. Tables, results, findings and
    files of an earlier build are replaced. `before` is told of each query.
    """
    with attached_marts(con, database):
        taken = names_of_ours(_relation_names(con))
    with Runner(limits, database.parent) as runner:
        project = read_project(runner, root, taken, ("alert",))
        own = runner.folder / "own.duckdb"
        built = Built() if project.is_empty else _built(runner, database, own, project, before)
        source = attached(con, own) if built.files else nullcontext("")
        with attached_marts(con, database), source as catalog, transaction(con):
            _store(con, catalog, project, built)
    return built


def check_project(settings: Settings) -> list[str]:
    """Return a line for each problem of the project's queries and finance files, with its place.

    Nothing is run. Columns are checked against the published file, if there is one to be read.
    """
    published = Layout(settings.data_dir).published_file
    with Runner(Limits(settings.sql.timeout_seconds, rows=None), settings.data_dir) as runner:
        taken: list[str] = []
        try:
            with open_confined(published) as con:
                taken = _relation_names(con)
        except (OSError, duckdb.Error):
            pass  # `status` says what is wrong with it
        names = names_of_ours(taken)
        project = read_project(runner, settings.project, names, ("question", "alert"))
        problems = [each.error for each in project.refused if each.error]
        if taken and not project.is_empty:
            problems += _unbound(runner, published, project)
    return sorted(problems)


def _relation_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Return the names of all tables and views in published schemas."""
    found = con.execute(
        "select table_name from information_schema.tables where list_contains(?, table_schema)",
        [list(PUBLISHED_SCHEMAS)],
    )
    return [name for (name,) in found.fetchall()]


def _unbound(runner: Runner, database: Path, project: Project) -> Iterator[str]:
    """Yield the errors of queries that read what neither the file nor the project has."""
    own = runner.folder / "own.duckdb"
    write_tables(own, project.tables)
    empty = [replace(each, sql=f"from ({each.sql}\n) limit 0") for each in project.of("mart")]
    files = list(build_marts(runner, database, own, empty))
    checks, twice = _checks(project, files)
    queries = [check.query for check in checks]
    queries += [question.query for question in project.of("question")]
    queries += map(query_of, project.of("alert"))
    yield from (each.error for each in (*files, *twice) if each.error)
    for query in queries:
        if error := runner.bind(database, query, own).error:
            yield error


def _built(
    runner: Runner, database: Path, own: Path, project: Project, before: Before | None
) -> Built:
    """Build the tables into the file `own`, and run checks and alerts."""
    built = Built(write_tables(own, project.tables))
    built.files.extend(build_marts(runner, database, own, project.of("mart"), before))
    checks, twice = _checks(project, built.files)
    for check in tracked(checks, before, lambda each: each.query.file):
        result, seconds = _result(runner, database, own, check)
        built.checks.append(result)
        if check.file and result.error:
            built.files.append(check.file.wrong(result.error, seconds))
        elif check.file:
            status = "passed" if result.ok else "failed"
            built.files.append(check.file.found(status, result.violation_count, seconds))
    for alert in tracked(project.of("alert"), before, lambda each: each.file.file):
        file, findings = run_alert(runner, database, own, alert)
        built.files.append(file)
        built.findings.extend(findings)
    built.files.extend((*project.refused, *twice))
    built.files.sort(key=attrgetter("file"))
    return built


def write_tables(own: Path, tables: Mapping[UserFile, pl.DataFrame]) -> list[FoundFile]:
    """Create the file `own`, with the CSV files as tables of schema `custom`."""
    with duckdb.connect(own) as con:
        con.execute(f"create schema {CUSTOM}")
        return [
            file.found("built", write_table(con, f'{CUSTOM}."{file.name}"', frame))
            for file, frame in tables.items()
        ]


def build_marts(
    runner: Runner,
    database: Path,
    own: Path,
    marts: Sequence[UserModel],
    before: Before | None = None,
) -> Iterator[FoundFile]:
    """Add marts to the file `own`, each after those that it reads; they also read `database`."""
    ordered, circle = _in_order(marts)
    made, missing = own.with_name("made.duckdb"), set[str]()
    for mart in tracked(ordered, before, lambda each: each.file.file):
        name = mart.file.name
        if unbuilt := sorted(mart.reads & missing):
            missing.add(name)
            reason = f"it reads {', '.join(unbuilt)}, which could not be built"
            yield mart.file.wrong(f"{mart.file.file}: {reason}")
            continue
        answer = runner.make(database, mart.query, made, own)
        if answer.error:
            missing.add(name)
            yield mart.file.wrong(answer.error, answer.seconds)
        else:
            with duckdb.connect(own) as con:
                con.execute(f"attach '{quoted(made)}' as made (read_only)")
                con.execute(f'create table {CUSTOM}."{name}" as from made.main.{RESULT}')
            yield mart.file.found("built", answer.count, answer.seconds)
        made.unlink(missing_ok=True)
    around = ", ".join(each.file.name for each in circle)
    for each in circle:
        yield each.file.wrong(f"{each.file.file}: it and others read each other: {around}")


def _in_order(marts: Sequence[UserModel]) -> tuple[list[UserModel], list[UserModel]]:
    """Return marts, each after those that it reads, and the marts that read each other."""
    left = {mart.file.name: mart for mart in marts}
    ordered: list[UserModel] = []
    while ready := [mart for mart in left.values() if not mart.reads & left.keys()]:
        ordered += ready
        for mart in ready:
            del left[mart.file.name]
    return ordered, list(left.values())


def _checks(
    project: Project, files: Sequence[FoundFile]
) -> tuple[list[UserCheck], list[FoundFile]]:
    """Return the checks that headers of built marts declare, and those of `queries/checks/`.

    A file without a claim is claimed by its name; one named like a check of a header is refused.
    """
    built = {file.name for file in files if file.kind == "mart" and file.error is None}
    checks = [
        UserCheck(
            UserQuery(mart.file.file, check.name, check.sql),
            check.header.description,
            mart.header.blocking == "true",
        )
        for mart in project.of("mart")
        if mart.file.name in built
        for _, check in header_checks(mart.model)
    ]
    names, twice = {check.query.name for check in checks}, []
    for each in project.of("check"):
        if each.file.name in names:
            reason = "call it by another name: the header of a mart declares this check"
            twice.append(each.file.wrong(f"{each.file.file}: {reason}"))
        else:
            claim = each.header.description or each.file.name
            checks.append(UserCheck(each.query, claim, each.header.blocking == "true", each.file))
    return checks, twice


def _result(
    runner: Runner, database: Path, own: Path, check: UserCheck
) -> tuple[CheckResult, float]:
    """Run a check on `database` and the tables of `own`; return its result, and its seconds."""
    sql = (
        f"select count(*) over (), violations.* from ({check.query.sql}\n) as violations"
        f" limit {SHOWN_ROWS}"
    )
    answer = runner.run(database, replace(check.query, sql=sql), own=own)
    names = [name for name, _ in answer.columns[1:]]
    count = answer.rows[0][0] if answer.rows else 0
    result = CheckResult(
        _PREFIX + check.query.name,
        check.claim,
        None,
        (),
        count,
        count if check.is_blocking else 0,
        tuple(_shown(names, row[1:]) for row in answer.amounts),
        answer.error,
    )
    return result, answer.seconds


def _shown(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Return the first columns of a row, and of long texts the beginning."""
    return {
        name[:_SHOWN_TEXT]: value[:_SHOWN_TEXT] if isinstance(value, str) else value
        for name, value in list(zip(names, row, strict=True))[:_SHOWN_COLUMNS]
    }


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


def run_alert(
    runner: Runner, database: Path, own: Path, alert: UserModel
) -> tuple[FoundFile, list[Finding]]:
    """Run an alert on `database` and the tables of `own`; return it with its first findings."""
    answer = runner.run(database, query_of(alert), own=own)
    if answer.error:
        return alert.file.wrong(answer.error, answer.seconds), []
    name, header = alert.file.name, alert.header
    columns = [column for column, _ in answer.columns[1:]]
    key = {each.lower() for each in header.key or columns}
    title = escaped(header.description or name)[:_SHOWN_TEXT]
    severity, count, findings = header.severity or "warning", 0, []
    for number, (total, *values) in enumerate(answer.amounts, 1):
        count, row = total, dict(zip(columns, map(_text, values), strict=True))
        same = {column: text for column, text in row.items() if column.lower() in key}
        identity = hashlib.sha256(json.dumps([name, same]).encode()).hexdigest()[:32]
        findings.append(Finding(name, title, severity, number, count, identity, _in_words(row)))
    return alert.file.found("asked", count, answer.seconds), findings


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


def _store(con: duckdb.DuckDBPyConnection, catalog: str, project: Project, built: Built) -> None:
    """Replace schema `custom`, results and findings of the user in the attached build file."""
    con.execute(f"drop schema if exists {_SCHEMA} cascade")
    con.execute(f"create schema {_SCHEMA}")
    con.execute(f"delete from {RESULTS} where starts_with(check_name, '{_PREFIX}')")
    con.execute(f"delete from {ALERT_FINDINGS}")
    con.execute(f"delete from {PROJECT_FILES} where kind <> 'rules'")
    headers = {mart.file.name: mart.header for mart in project.of("mart")}
    for file in built.files:
        if file.status == "built":
            table = f'{_SCHEMA}."{file.name}"'
            con.execute(f'create table {table} as from {catalog}.{CUSTOM}."{file.name}"')
            comment_on(con, table, headers.get(file.name, Header(f"The file {file.file}.")))
    for file in built.files:
        row = astuple(file)
        con.execute(f"insert into {PROJECT_FILES} values (?, ?, ?, ?, ?, ?, ?, null)", row)
    store_results(con, built.checks)
    for finding in built.findings:
        con.execute(f"insert into {ALERT_FINDINGS} values (?, ?, ?, ?, ?, ?, ?)", astuple(finding))
