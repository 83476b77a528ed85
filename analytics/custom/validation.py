"""Problems of a project's files, found without a batch."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from analytics.custom.checks import checks_of_files, checks_of_headers
from analytics.custom.marts import build_marts, write_tables
from analytics.custom.project import Project, UserModel, names_of_ours, read_project
from analytics.custom.runner import bind_queries
from analytics.settings import Settings
from analytics.warehouse.confined import Limits, open_confined
from analytics.warehouse.database import relation_names
from analytics.warehouse.layout import Layout

_KINDS = ("question", "alert")


def check_project(settings: Settings) -> list[str]:
    """Return a line for each problem of the project's queries and finance files, with its place.

    Nothing is run. Columns are checked against the published file, if there is one.
    """
    limits = Limits(settings.sql.timeout_seconds, settings.sql.memory_limit, None)
    published = Layout(settings.data_dir).published
    with tempfile.TemporaryDirectory(prefix="analytics-") as scratch:
        folder = Path(scratch)
        database = published if published.exists() else None
        taken: list[str] = []
        if database:
            with open_confined(database, limits, folder) as con:
                taken = relation_names(con)
        project = read_project(settings.project, limits, names_of_ours(taken), _KINDS)
        problems = [each.error for each in project.refused]
        if database and not project.is_empty:
            problems += _unbound(database, project, limits, folder)
    return sorted(problems)


def _unbound(database: Path, project: Project, limits: Limits, folder: Path) -> list[str]:
    """Return the errors of queries that read what neither the file nor the project has."""
    own = folder / "own.duckdb"
    write_tables(own, project.tables)
    empty = [_emptied(mart) for mart in project.of("mart")]
    files = list(build_marts(database, own, empty, limits, folder))
    built = {file.name for file in files if file.error is None}
    marts = [mart for mart in project.of("mart") if mart.file.name in built]
    checks = [
        *checks_of_headers(database, own, marts, limits, folder),
        *checks_of_files(project.of("check")),
    ]
    queries = [check.query for check in checks]
    queries += [each.query for kind in _KINDS for each in project.of(kind)]
    bound = bind_queries(database, queries, limits, own=own)
    errors = [file.error for file in files] + [each.error for each in bound]
    return [error for error in errors if error]


def _emptied(mart: UserModel) -> UserModel:
    return replace(mart, sql=f"select * from ({mart.sql}\n) limit 0")
