"""Build a project's tables into schema `custom` of the build file, and run its checks.

A file that is not right is left out, with its error; all else is built as if it were not there.
"""

from __future__ import annotations

import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path

import duckdb

from analytics.custom.checks import PREFIX, checks_of_files, checks_of_headers, run_checks
from analytics.custom.marts import CustomFile, build_marts, refused, write_tables
from analytics.custom.project import Project, names_of_ours, read_project
from analytics.custom.runner import UserQuery
from analytics.resources import folder
from analytics.transform.build import build_on_results
from analytics.transform.check_results import CUSTOM_FILES, RESULTS
from analytics.transform.checks import CheckResult, store_results
from analytics.transform.comments import comment_on
from analytics.transform.models import Header
from analytics.warehouse.confined import CUSTOM, Limits
from analytics.warehouse.database import BUILD_FILE, attached_marts, quoted, relation_names

_SCHEMA = f"{BUILD_FILE}.{CUSTOM}"


@dataclass(frozen=True)
class Built:
    """All files of a project, and the results of its checks, those of headers included."""

    files: list[CustomFile]
    checks: list[CheckResult]


def build_custom(
    con: duckdb.DuckDBPyConnection, database: Path, root: Path, limits: Limits
) -> Built:
    """Build the project `root` into the build file `database`, and store its results there.

    `con` is the warehouse, to which the build file is not attached. Tables, results and files of an
    earlier build are replaced.
    """
    with attached_marts(con, database):
        taken = names_of_ours(relation_names(con))
    project = read_project(root, limits, taken)
    with tempfile.TemporaryDirectory(prefix="analytics-") as scratch:
        own = Path(scratch) / "own.duckdb"
        built = Built([], []) if project.is_empty else _built(database, own, project, limits)
        with attached_marts(con, database):
            _store(con, own, project, built)
    return built


def _built(database: Path, own: Path, project: Project, limits: Limits) -> Built:
    """Build the tables into the file `own`, and run the checks."""
    files = write_tables(own, project.tables)
    files += map(refused, project.refused)
    files += build_marts(database, own, project.of("mart"), limits, own.parent)
    names = {file.name for file in files if file.kind == "mart" and file.state == "built"}
    marts = [mart for mart in project.of("mart") if mart.file.name in names]
    declared = checks_of_headers(database, own, marts, limits, own.parent)
    taken = {check.query.name for check in declared}
    checks = [each for each in checks_of_files(project.of("check")) if each.query.name not in taken]
    answers = list(run_checks(database, own, [*declared, *checks], limits))
    for check, (result, seconds) in zip(checks, answers[len(declared) :], strict=True):
        files.append(_checked(check.query, result, seconds))
    return Built(sorted(files, key=lambda file: file.file), [result for result, _ in answers])


def _checked(query: UserQuery, result: CheckResult, seconds: float) -> CustomFile:
    state = "error" if result.error else "passed" if result.ok else "failed"
    count = None if result.error else result.violation_count
    return CustomFile("check", query.file, query.name, state, count, seconds, result.error)


def _store(con: duckdb.DuckDBPyConnection, own: Path, project: Project, built: Built) -> None:
    """Replace schema `custom` and the results of the user's checks in the attached build file."""
    con.execute(f"drop schema if exists {_SCHEMA} cascade")
    con.execute(f"create schema {_SCHEMA}")
    con.execute(f"delete from {RESULTS} where starts_with(check_name, '{PREFIX}')")
    con.execute(f"delete from {CUSTOM_FILES}")
    if not built.files:
        return
    headers = {mart.file.name: mart.header for mart in project.of("mart")}
    con.execute(f"attach '{quoted(own)}' as own (read_only)")
    for file in built.files:
        if file.state == "built":
            table = f'{_SCHEMA}."{file.name}"'
            con.execute(f'create table {table} as from own.{CUSTOM}."{file.name}"')
            comment_on(con, table, headers.get(file.name, Header(f"The file {file.file}.")))
    con.execute("detach own")
    con.executemany(
        f"insert into {CUSTOM_FILES} values (?, ?, ?, ?, ?, ?, ?)", list(map(astuple, built.files))
    )
    if built.checks:
        store_results(con, built.checks)
    build_on_results(con, folder("queries"))
