"""Problems of a project's files, found without a batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb

from analytics.project.alerts import query_of
from analytics.project.checks import checks_of_files, checks_of_headers
from analytics.project.marts import build_marts, write_tables
from analytics.project.project import Project, UserModel, names_of_ours, read_project
from analytics.project.runner import Runner
from analytics.settings import Settings
from analytics.warehouse.confined import Limits, open_confined
from analytics.warehouse.database import relation_names
from analytics.warehouse.layout import Layout


def check_project(settings: Settings) -> list[str]:
    """Return a line for each problem of the project's queries and finance files, with its place.

    Nothing is run. Columns are checked against the published file, if there is one to be read.
    """
    limits = Limits(settings.sql.timeout_seconds, rows=None)
    published = Layout(settings.data_dir).published
    with Runner(limits, settings.data_dir) as runner:
        taken: list[str] = []
        try:
            with open_confined(published, limits, None) as con:
                taken = relation_names(con)
        except (OSError, duckdb.Error):
            pass  # `status` says what is wrong with it
        project = read_project(
            runner, settings.project, names_of_ours(taken), ("question", "alert")
        )
        problems = [each.error for each in project.refused]
        if taken and not project.is_empty:
            problems += _unbound(runner, published, project)
    return sorted(problems)


def _unbound(runner: Runner, database: Path, project: Project) -> Iterator[str]:
    """Yield the errors of queries that read what neither the file nor the project has."""
    own = runner.folder / "own.duckdb"
    write_tables(own, project.tables)
    files = list(build_marts(runner, database, own, list(map(_emptied, project.of("mart")))))
    built = {file.name for file in files if file.error is None}
    marts = [mart for mart in project.of("mart") if mart.file.name in built]
    declared = checks_of_headers(marts)
    checks, twice = checks_of_files(project.of("check"), declared)
    queries = [check.query for check in [*declared, *checks]]
    queries += [question.query for question in project.of("question")]
    queries += map(query_of, project.of("alert"))
    yield from (file.error for file in files if file.error)
    yield from (each.error for each in twice)
    yield from (each.error for each in runner.bind(database, queries, own) if each.error)


def _emptied(mart: UserModel) -> UserModel:
    return replace(mart, sql=f"select * from ({mart.sql}\n) limit 0")
