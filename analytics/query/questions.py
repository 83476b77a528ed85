"""Questions that have a name: the files of `queries/adhoc/`, ours and those of the project."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from analytics.errors import UsageError
from analytics.files import folder
from analytics.format.names import did_you_mean
from analytics.project.files import read_files
from analytics.terminal import console, escaped
from analytics.transform.models import read_header

_MISSING = re.compile(r'(?:Catalog Error: )?Table with name "?(?:custom\.)?(\w+)"? does not exist')
_QUESTION = re.compile(r".*?\?|.*")


@dataclass(frozen=True)
class Question:
    """A query with a name; `is_own` tells the user's from ours."""

    name: str
    description: str
    sql: str
    is_own: bool


def sql_of(name: str, project: Path) -> str:
    """Return the SQL of a question; UsageError, with similar names, if there is none."""
    known, refused = questions(project)
    for question in known:
        if question.name == name:
            return question.sql
    for error in refused:
        if f"/{name}.sql:" in error:
            raise UsageError(f"The question cannot be asked: {error}")
    hint = did_you_mean(name, {question.name: question.name for question in known})
    raise UsageError(
        f"There is no question named {name}: `analytics sql --list` shows all,"
        f" `--tables NAME` a table.\n{hint}"
    )


def questions(project: Path) -> tuple[list[Question], list[str]]:
    """Return the questions, the project's first, and an error for each file that is none."""
    ours = sorted((folder("queries") / "adhoc").glob("*.sql"))
    files, refused = read_files(project, "question")
    known = [_question(file.name, file.text, is_own=True) for file in files]
    known += [_question(path.stem, path.read_text(encoding="utf-8"), is_own=False) for path in ours]
    return known, [each.error for each in refused if each.error]


def explained(error: str, project: Path) -> str:
    """Return an error of a query; of a missing table, what its name stands for, if that is known.

    It is a file of the project that the next batch makes a table of, or a question.
    """
    if hint := next_batch_hint(error, project):
        return f"{error}\n{hint}"
    missing = _MISSING.search(error)
    if missing and any(each.name == missing[1].lower() for each in questions(project)[0]):
        where, name = error[: missing.start()], missing[1].lower()
        return f"{where}{missing[1]} is a question, and no table: ask it by `analytics sql {name}`."
    return error


def next_batch_hint(error: str, project: Path) -> str:
    """Return from which file the next batch makes the table that an error misses; empty if none."""
    if missing := _MISSING.search(error):
        name = missing[1].lower()
        for file in (f"queries/marts/{name}.sql", f"finance/{name}.csv"):
            if (project / file).is_file():
                return f"The next batch makes it of {file}: run `analytics nightly`."
    return ""


def asked(question: Question) -> str:
    """Return what a question asks: its description up to the first question mark."""
    found = _QUESTION.match(question.description)
    return found[0] if found else ""


def print_questions(project: Path) -> None:
    """Print name and question of each, and to standard error the files that are none."""
    from rich.table import Table
    from rich.text import Text

    known, refused = questions(project)
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Name", no_wrap=True)
    table.add_column("Question")
    for question in known:
        text = asked(question) + (" (yours)" if question.is_own else "")
        table.add_row(question.name, Text(escaped(text)))
    console().print(table)
    for error in refused:
        print(f"not used: {escaped(error)}", file=sys.stderr)


def _question(name: str, sql: str, *, is_own: bool) -> Question:
    return Question(name, read_header(sql).description, sql, is_own)
