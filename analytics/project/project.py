"""A project's own tables, marts and checks: read and parsed, and those that are not right."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from analytics.bounded.confined import CUSTOM
from analytics.bounded.runner import Runner, UserQuery
from analytics.files import folder
from analytics.project.files import FoundFile, UserFile, read_files
from analytics.project.finance import read_csv
from analytics.transform.build import POLARS_MODELS
from analytics.transform.models import CHECK_RESULTS, PUBLISHED, Header, SqlModel, read_header

_PLACES = ("marts", "audit", "report")
_NAME = re.compile(r"\w+")
_SEVERITIES = ("info", "warning", "failure")
_NEARLY_BLOCKING = re.compile(r".*\bblock(s|ing|ed)?\s*[:=]", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class UserModel:
    """A file of one SELECT, with its header, and the tables of schema `custom` that it reads."""

    file: UserFile
    sql: str
    header: Header
    reads: frozenset[str]

    @property
    def query(self) -> UserQuery:
        """The query to run."""
        return UserQuery(self.file.file, self.file.name, self.sql)

    @property
    def model(self) -> SqlModel:
        """The model of its table in schema `custom`, as our own models are described."""
        return SqlModel(CUSTOM, self.file.name, self.file.file, self.header, frozenset(), self.sql)


@dataclass
class Project:
    """The files of a project, each in one of these; those of `finance/` with their rows."""

    tables: dict[UserFile, pl.DataFrame] = field(default_factory=dict)
    models: list[UserModel] = field(default_factory=list)
    refused: list[FoundFile] = field(default_factory=list)

    def of(self, kind: str) -> list[UserModel]:
        """The models of a kind."""
        return [each for each in self.models if each.file.kind == kind]

    @property
    def is_empty(self) -> bool:
        """True if there is no file at all."""
        return not (self.tables or self.models or self.refused)


def names_of_ours(published: Collection[str]) -> frozenset[str]:
    """Return the names that no table of a user may have; `published` are those of a file."""
    queries = folder("queries")
    files = (path.stem for place in _PLACES for path in (queries / place).glob("*.sql"))
    models = (model.name for model in POLARS_MODELS)
    results = (relation.split(".")[1] for relation in CHECK_RESULTS)
    return frozenset({*files, *models, *results, *PUBLISHED, CUSTOM, *published})


def read_project(
    runner: Runner, root: Path, taken: Collection[str], more: Sequence[str]
) -> Project:
    """Read a project's tables, marts and checks, and queries of `more` kinds.

    `taken` are names that no table may have.
    """
    project = Project()
    for file in _files(project, root, "finance", taken):
        try:
            project.tables[file] = read_csv(file)
        except ValueError as error:
            project.refused.append(file.wrong(str(error)))
    tables = {file.name for file in project.tables}
    marts = _files(project, root, "mart", {*taken, *tables})
    others = [file for kind in ("check", *more) for file in _files(project, root, kind, ())]
    own = {file.name for file in marts} | tables
    for file in (*marts, *others):
        parsed = runner.parse(UserQuery(file.file, file.name, file.text))
        header, problem = read_header(file.text), parsed.error
        if problem is None and (reason := _wrong(header, len(parsed.statements))):
            problem = f"{file.file}: {reason}"
        if problem is not None:
            project.refused.append(file.wrong(problem))
            continue
        (sql,), (reads,) = parsed.statements, parsed.reads
        names = {name.lower() for schema, name in reads if schema in ("", CUSTOM)}
        project.models.append(UserModel(file, sql, header, frozenset(names & own) - {file.name}))
    return project


def _files(project: Project, root: Path, kind: str, taken: Collection[str]) -> list[UserFile]:
    files, refused = read_files(root, kind, taken)
    project.refused.extend(refused)
    return files


def _wrong(header: Header, statement_count: int) -> str | None:
    """Return the reason that a file of one SELECT is not right; None if it is."""
    if statement_count != 1:
        return f"one SELECT is expected, and it holds {statement_count}"
    if _NEARLY_BLOCKING.match(header.description):
        return "a line `-- blocking: true` must be written so"
    if header.blocking not in (None, "true", "false"):
        return f"`-- blocking: {header.blocking}` must be true or false"
    if header.severity not in (None, *_SEVERITIES):
        return f"`-- severity: {header.severity}` must be info, warning or failure"
    for line, names in (("key", header.key), ("ref", header.refs.values())):
        for name in names:
            if not _NAME.fullmatch(name):
                return f"`{name}` in its line `{line}` is not a name"
    return None
