"""Tables of a project, made in a file of their own: the CSV files, and the marts in order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import duckdb

from analytics.project.files import Refused
from analytics.project.project import UserModel, UserTable, in_waves
from analytics.project.runner import Made, Runner
from analytics.terminal import Before, tracked
from analytics.transform.frames import write_table
from analytics.warehouse.confined import CUSTOM, RESULT
from analytics.warehouse.database import quoted


@dataclass(frozen=True)
class CustomFile:
    """A file of the user as it was found: see `audit.project_files`."""

    kind: str
    file: str
    name: str
    status: str
    row_count: int | None = None
    seconds: float | None = None
    error: str | None = None


def refused(file: Refused) -> CustomFile:
    """Return the status of a file that is not used."""
    return CustomFile(file.kind, file.file, file.name, "error", error=file.error)


def write_tables(own: Path, tables: Sequence[UserTable]) -> list[CustomFile]:
    """Create the file `own`, with the CSV files as tables of schema `custom`."""
    with duckdb.connect(own) as con:
        con.execute(f"create schema {CUSTOM}")
        return [
            CustomFile(
                table.file.kind,
                table.file.file,
                table.file.name,
                "built",
                write_table(con, f'{CUSTOM}."{table.file.name}"', table.frame),
            )
            for table in tables
        ]


def build_marts(
    runner: Runner,
    database: Path,
    own: Path,
    marts: Sequence[UserModel],
    before: Before | None = None,
) -> Iterator[CustomFile]:
    """Add marts to the file `own`, each after those that it reads; they also read `database`."""
    missing: set[str] = set()
    waves, circle = in_waves(marts)
    for wave in waves:
        ready = []
        for mart in wave:
            if unbuilt := sorted(mart.reads & missing):
                missing.add(mart.file.name)
                yield _error(mart, f"it reads {', '.join(unbuilt)}, which could not be built")
            else:
                ready.append(mart.query)
        answers = list(runner.make(database, tracked(ready, before, attrgetter("file")), own))
        _add(own, [made for made in answers if not made.error])
        for made in answers:
            if made.error:
                missing.add(made.query.name)
            shutil.rmtree(made.file.parent)
            yield CustomFile(
                "mart",
                made.query.file,
                made.query.name,
                "error" if made.error else "built",
                None if made.error else made.rows,
                made.seconds,
                made.error,
            )
    around = ", ".join(mart.file.name for mart in circle)
    for mart in circle:
        yield _error(mart, f"it and others read each other: {around}")


def _error(mart: UserModel, reason: str) -> CustomFile:
    file = mart.file
    return CustomFile(file.kind, file.file, file.name, "error", error=f"{file.file}: {reason}")


def _add(own: Path, answers: Sequence[Made]) -> None:
    """Copy the rows of queries into the file `own`."""
    with duckdb.connect(own) as con:
        for made in answers:
            con.execute(f"attach '{quoted(made.file)}' as made (read_only)")
            con.execute(f'create table {CUSTOM}."{made.query.name}" as from made.main.{RESULT}')
            con.execute("detach made")
