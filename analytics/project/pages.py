"""Pages of one's own: the grammar of the header lines of `reports/pages/*.sql`.

A file holds one SELECT or several, each a table or a chart. Header lines stand before a SELECT:

    -- Cost by agent, of each month                             its heading
    -- page: Support / Cost by agent                            the page's group and title
    -- chart: bar, x month, y cost_usd, by agent_name           else a table
    -- line: 2026-11-01 new model                               a day to mark in a chart over time
    -- look: {"bargap": 0.4}                                    what it changes of Plotly's layout
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from analytics.project.files import UserFile, read_files
from analytics.project.runner import Runner, UserQuery

MARKS = ("bar", "column", "line", "interval", "table")
OWN_GROUP = "Own pages"
MOST_PAGES = 500
MOST_CHARTS = 20

_WORDS = ("page", "chart", "line", "look")
_HEADER = re.compile(r"(\w+):\s*(.*)")
_COLUMN = re.compile(r"\w+")
_LINE = re.compile(r"(\d{4}-\d\d-\d\d)\s+(\S.*)")
_NO_CHART = (
    "`line` and `look` are of a chart, and this SELECT has none: write `-- chart: line, x date,"
    " y COLUMN`, or delete them"
)


class PageError(Exception):
    """A problem in a line of a file; the text has no place yet."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True)
class Drawn:
    """A mark and the columns that it shows; each `y` is a column, or two of which it is `a/b`.

    Without a mark it is a table, or a headline if it has one value.
    """

    mark: str = ""
    x: str = ""
    y: tuple[tuple[str, ...], ...] = ()
    by: str = ""

    @property
    def columns(self) -> list[str]:
        """All columns that are named."""
        return [each for each in (self.x, *(name for y in self.y for name in y), self.by) if each]


@dataclass(frozen=True)
class Chart:
    """One SELECT of a page: its heading, how it is drawn, and days that are marked.

    `line` is where its mark is declared, or else where its SQL begins; `look` is its line and text.
    """

    heading: str
    line: int
    query: UserQuery
    drawn: Drawn = Drawn()
    lines: tuple[tuple[date, str], ...] = ()
    look: tuple[int, str] | None = None


@dataclass(frozen=True)
class UserPage:
    """A file of `reports/pages/`; with an `error`, which names file and line, it has no charts."""

    file: str
    name: str
    group: str
    title: str
    charts: tuple[Chart, ...] = ()
    error: str | None = None


@dataclass
class _Header:
    """The leading comment of a statement; `sql_line` is the line after it."""

    description: list[str] = field(default_factory=list)
    fields: list[tuple[str, int, str]] = field(default_factory=list)
    sql_line: int = 1

    def of(self, word: str) -> list[tuple[int, str]]:
        return [(line, text) for name, line, text in self.fields if name == word]


def read_pages(project: Path, runner: Runner) -> tuple[list[UserPage], list[str]]:
    """Read the pages of a project, by name, and the problems of files that can be no page."""
    files, refused = read_files(project, "page")
    pages = parse_pages(files[:MOST_PAGES], runner)
    pages += [UserPage(r.file, r.name, OWN_GROUP, _words(r.name), error=r.error) for r in refused]
    problems = []
    if (count := len(files) + len(refused)) > MOST_PAGES:
        problems.append(
            f"reports/pages: it holds {count:,} files, and the first {MOST_PAGES} are made: delete"
            " some, or write several SELECTs into one file"
        )
    return pages[:MOST_PAGES], problems


def parse_pages(files: Sequence[UserFile], runner: Runner) -> list[UserPage]:
    """Parse files; a page that is not right has an error."""
    queries = [UserQuery(file.file, file.name, file.text) for file in files]
    pages = []
    for file, parsed in zip(files, runner.parse(queries), strict=True):
        page = UserPage(file.file, file.name, OWN_GROUP, _words(file.name))
        try:
            top = _header(file.text)
            group, title = _title(top.of("page")) or (page.group, page.title)
            page = replace(page, group=group, title=title)
            if parsed.error is None:
                page = replace(page, charts=tuple(_charts(file, parsed.statements)))
            pages.append(replace(page, error=parsed.error))
        except PageError as error:
            pages.append(replace(page, error=f"{file.file}:{error.line}: {error}"))
    return pages


def _words(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _title(lines: Sequence[tuple[int, str]]) -> tuple[str, str] | None:
    """Return group and title of the line `page`, if there is one."""
    if not lines:
        return None
    line, text = lines[0]
    if not text or text.startswith("/") or text.endswith("/"):
        raise PageError(line, "`page` has no group or title: write `-- page: Group / Title`")
    group, slash, title = text.partition(" / ")
    return (group.strip(), title.strip()) if slash else (OWN_GROUP, text)


def _charts(file: UserFile, statements: Sequence[str]) -> Iterator[Chart]:
    if not statements:
        raise PageError(1, "it holds no SELECT")
    if len(statements) > MOST_CHARTS:
        raise PageError(
            1, f"it holds {len(statements)} SELECTs, and a page has at most {MOST_CHARTS}"
        )
    for number, sql in enumerate(statements):
        header = _header(sql)
        pages, charts = header.of("page"), header.of("chart")
        if number and pages:
            raise PageError(pages[0][0], "`page` belongs to the top of the file")
        if len(pages) > 1:
            raise PageError(pages[1][0], "`page` stands twice")
        if len(charts) > 1:
            raise PageError(charts[1][0], "`chart` stands twice: a SELECT draws one chart")
        line = charts[0][0] if charts else header.sql_line
        drawn = parse_chart(*charts[0]) if charts else Drawn()
        query = UserQuery(file.file, f"{file.name}-{number + 1}", sql)
        marked, looks = header.of("line"), header.of("look")
        if len(looks) > 1:
            raise PageError(looks[1][0], "`look` stands twice: write one object")
        lines = tuple(_marked(*each) for each in marked)
        if (lines or looks) and drawn.mark in ("", "table"):
            raise PageError((marked + looks)[0][0], _NO_CHART)
        look = looks[0] if looks else None
        yield Chart(" ".join(header.description), line, query, drawn, lines, look)


def _header(sql: str) -> _Header:
    """Return the leading `--` lines of a statement; empty lines before and among them are none."""
    header = _Header()
    for number, line in enumerate(sql.split("\n"), 1):
        text = line.strip()
        header.sql_line = number
        if text and not text.startswith("--"):
            break
        text = text.removeprefix("--").strip()
        if (match := _HEADER.fullmatch(text)) and match[1] in _WORDS:
            header.fields.append((match[1], number, match[2]))
            continue
        if match and (meant := get_close_matches(match[1].lower(), _WORDS, 1, 0.75)):
            raise PageError(number, f"there is no `{match[1]}`: did you mean `{meant[0]}`?")
        if text:
            header.description.append(text)
    return header


def parse_chart(line: int, text: str) -> Drawn:
    """Parse the line `chart`: a mark, then x, y and by with their columns."""
    first, *rest = (part.split() for part in text.split(","))
    mark, *options = first or [""]
    if mark not in MARKS:
        there_are = f"say {', '.join(MARKS[:-1])} or {MARKS[-1]}"
        raise PageError(line, f"there is no mark `{mark}`: {there_are}")
    if options:
        raise PageError(line, f"`{' '.join(options)}` means nothing after `{mark}`")
    named: dict[str, list[tuple[str, ...]]] = {"x": [], "y": [], "by": []}
    for part in rest:
        role, names = _role(line, part)
        named[role].append(names)
    x, by = (named[role][0][0] if named[role] else "" for role in ("x", "by"))
    drawn = Drawn(mark, x, tuple(named["y"]), by)
    if problem := _wrong(drawn, len(named["x"]), len(named["by"])):
        raise PageError(line, problem)
    return drawn


def _role(line: int, words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return a role and the columns that have it: two in a quotient."""
    if len(words) != 2 or words[0] not in ("x", "y", "by"):
        raise PageError(
            line, f"`{' '.join(words)}` is none of `x COLUMN`, `y COLUMN` and `by COLUMN`"
        )
    role, names = words[0], tuple(words[1].split("/"))
    if len(names) > (2 if role == "y" else 1) or not all(map(_COLUMN.fullmatch, names)):
        raise PageError(
            line, f"`{words[1]}` is no name of a column: give it one of letters, digits and _"
        )
    return role, names


def _wrong(drawn: Drawn, x_count: int, by_count: int) -> str | None:
    """Return the problem of a mark with its columns."""
    if drawn.mark == "table":
        return "`table` takes no columns: it shows all" if drawn.columns else None
    if x_count > 1 or by_count > 1:
        return f"`{'x' if x_count > 1 else 'by'}` stands twice"
    if not drawn.x or not drawn.y:
        return f"`{drawn.mark}` needs an x and a y: `{drawn.mark}, x month, y cost_usd`"
    if drawn.by and len(drawn.y) > 1:
        return "`by` takes one y: write a SELECT for each y"
    if drawn.by and drawn.mark != "line" and len(drawn.y[0]) > 1:
        return "quotients on top of each other mean nothing: draw a `line`"
    if drawn.mark == "interval" and (drawn.by or len(drawn.y) > 1 or len(drawn.y[0]) < 2):
        return "`interval` shows one share: `interval, x agent_name, y failed_count/finished_count`"
    return None


def _marked(line: int, text: str) -> tuple[date, str]:
    """Parse the line `line`: a day and its text."""
    match = _LINE.fullmatch(text)
    try:
        if match:
            return date.fromisoformat(match[1]), match[2]
    except ValueError:
        pass
    raise PageError(line, "`line` is a day and a text: `-- line: 2026-11-01 new model`")
