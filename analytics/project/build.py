"""Build a project's tables into schema `custom` of the build file; run its checks and alerts.

A file that is not right is left out, with its error; all else is built as if it were not there.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from analytics.project.alerts import run_alerts
from analytics.project.checks import PREFIX, checks_of_files, checks_of_headers, run_checks
from analytics.project.findings import Finding
from analytics.project.marts import CustomFile, build_marts, refused, write_tables
from analytics.project.project import Project, names_of_ours, read_project
from analytics.project.runner import Runner, UserQuery
from analytics.terminal import Before
from analytics.transform.check_results import ALERT_FINDINGS, PROJECT_FILES, RESULTS
from analytics.transform.checks import CheckResult, store_results
from analytics.transform.models import Header, comment_on
from analytics.warehouse.confined import CUSTOM, Limits
from analytics.warehouse.database import (
    BUILD_FILE,
    attached,
    attached_marts,
    relation_names,
    transaction,
)

_SCHEMA = f"{BUILD_FILE}.{CUSTOM}"


@dataclass(frozen=True)
class Built:
    """All files of a project, the results of its checks, those of headers included, and findings.

    Findings are those of its alerts.
    """

    files: list[CustomFile]
    checks: list[CheckResult]
    findings: list[Finding]


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
        taken = names_of_ours(relation_names(con))
    with Runner(limits, database.parent) as runner:
        project = read_project(runner, root, taken, ("alert",))
        own = runner.folder / "own.duckdb"
        built = (
            Built([], [], [])
            if project.is_empty
            else _built(runner, database, own, project, before)
        )
        source = attached(con, own) if built.files else nullcontext("")
        with attached_marts(con, database), source as catalog, transaction(con):
            _store(con, catalog, project, built)
    return built


def _built(
    runner: Runner, database: Path, own: Path, project: Project, before: Before | None
) -> Built:
    """Build the tables into the file `own`, and run checks and alerts."""
    files = write_tables(own, project.tables)
    files += build_marts(runner, database, own, project.of("mart"), before)
    names = {file.name for file in files if file.kind == "mart" and file.status == "built"}
    marts = [mart for mart in project.of("mart") if mart.file.name in names]
    declared = checks_of_headers(marts)
    checks, twice = checks_of_files(project.of("check"), declared)
    answers = list(run_checks(runner, database, own, [*declared, *checks], before))
    for check, (result, seconds) in zip(checks, answers[len(declared) :], strict=True):
        files.append(_checked(check.query, result, seconds))
    findings: list[Finding] = []
    for file, found in run_alerts(runner, database, own, project.of("alert"), before):
        files.append(file)
        findings += found
    files += map(refused, [*project.refused, *twice])
    files.sort(key=lambda file: file.file)
    return Built(files, [result for result, _ in answers], findings)


def _checked(query: UserQuery, result: CheckResult, seconds: float) -> CustomFile:
    status = "error" if result.error else "passed" if result.ok else "failed"
    count = None if result.error else result.violation_count
    return CustomFile("check", query.file, query.name, status, count, seconds, result.error)


def _store(con: duckdb.DuckDBPyConnection, catalog: str, project: Project, built: Built) -> None:
    """Replace schema `custom`, results and findings of the user in the attached build file."""
    con.execute(f"drop schema if exists {_SCHEMA} cascade")
    con.execute(f"create schema {_SCHEMA}")
    con.execute(f"delete from {RESULTS} where starts_with(check_name, '{PREFIX}')")
    con.execute(f"delete from {ALERT_FINDINGS}")
    con.execute(f"delete from {PROJECT_FILES} where kind <> 'rules'")
    if built.files:
        _store_files(con, catalog, project, built)


def _store_files(
    con: duckdb.DuckDBPyConnection, catalog: str, project: Project, built: Built
) -> None:
    headers = {mart.file.name: mart.header for mart in project.of("mart")}
    for file in built.files:
        if file.status == "built":
            table = f'{_SCHEMA}."{file.name}"'
            con.execute(f'create table {table} as from {catalog}.{CUSTOM}."{file.name}"')
            comment_on(con, table, headers.get(file.name, Header(f"The file {file.file}.")))
    con.executemany(
        f"insert into {PROJECT_FILES} values (?, ?, ?, ?, ?, ?, ?, null)",
        list(map(astuple, built.files)),
    )
    if built.checks:
        store_results(con, built.checks)
    if built.findings:
        con.executemany(
            f"insert into {ALERT_FINDINGS} values (?, ?, ?, ?, ?, ?, ?)",
            list(map(astuple, built.findings)),
        )
