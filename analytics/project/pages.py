"""Pages of one's own: files of `reports/pages/*.sql`, and the answers to their queries.

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
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path

from analytics.bounded.runner import Answer, Runner, UserQuery
from analytics.project.files import UserFile, read_files
from analytics.terminal import Before, tracked

MARKS = ("bar", "column", "line", "interval", "table")
OWN_GROUP = "Own pages"
MOST_PAGES = 500
MOST_CHARTS = 20
_TOGETHER = 10  # times the limit of one query, for those of all pages

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


@dataclass(frozen=True)
class AnsweredPage:
    """A page, and an answer for each of its charts."""

    page: UserPage
    answers: tuple[Answer, ...]


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
    pages = []
    for file in files:
        parsed = runner.parse(UserQuery(file.file, file.name, file.text))
        page = UserPage(file.file, file.name, OWN_GROUP, _words(file.name))
        try:
            for line, text in _header(file.text)[1]["page"][:1]:
                group, title = _title(line, text)
                page = replace(page, group=group, title=title)
            if parsed.error is None:
                page = replace(page, charts=tuple(_charts(file, parsed.statements)))
            pages.append(replace(page, error=parsed.error))
        except PageError as error:
            pages.append(replace(page, error=f"{file.file}:{error.line}: {error}"))
    return pages


def answer_pages(
    runner: Runner, database: Path, pages: Sequence[UserPage], before: Before | None = None
) -> Iterator[AnsweredPage]:
    """Run the queries of pages on a closed file with marts; `before` is told of each page.

    All together may take ten times the limit of one query. Each page has an equal share of half of
    what is left, so that slow ones take no time of others. Those that need more wait for a second
    round, and have at least that limit of what is left then. A query that has no time left is an
    answer with an error.
    """
    limit = runner.limits.seconds
    left = _TOGETHER * limit
    waiting, answers = list(pages), {page.file: list[Answer]() for page in pages}
    for is_last in (False, True):
        slow = []
        for place, page in enumerate(tracked(waiting, before, attrgetter("file"))):
            share = left / (len(waiting) - place)
            end = max(0, left - (max(share, limit) if is_last else share / 2))
            answered = answers[page.file]
            for chart in page.charts[len(answered) :]:
                seconds = min(limit, left - end)
                if seconds > 0:
                    answer = runner.run(database, chart.query, seconds=seconds)
                    left -= answer.seconds
                if seconds <= 0 or answer.seconds >= seconds < limit:
                    if not is_last:
                        slow.append(page)
                        break
                    answer = _late(chart, _TOGETHER * limit)
                answered.append(answer)
            else:
                yield AnsweredPage(page, tuple(answered))
        waiting = slow


def _late(chart: Chart, seconds: float) -> Answer:
    error = (
        f"{chart.query.file}:{chart.line}: it has no time left: queries of pages have {seconds:g} s"
        " together, of which each page has its share; make them faster, or raise timeout_seconds in"
        " [sql]"
    )
    return Answer(chart.query, error=error)


def _words(name: str) -> str:
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _title(line: int, text: str) -> tuple[str, str]:
    """Return group and title of the line `page`."""
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
        heading, fields, line = _header(sql)
        pages, charts, days, looks = (fields[word] for word in _WORDS)
        if number and pages:
            raise PageError(pages[0][0], "`page` belongs to the top of the file")
        if len(pages) > 1:
            raise PageError(pages[1][0], "`page` stands twice")
        if len(charts) > 1:
            raise PageError(charts[1][0], "`chart` stands twice: a SELECT draws one chart")
        drawn = Drawn()
        if charts:
            ((line, text),) = charts
            drawn = parse_chart(line, text)
        if len(looks) > 1:
            raise PageError(looks[1][0], "`look` stands twice: write one object")
        lines = tuple(_marked(*each) for each in days)
        if (lines or looks) and drawn.mark in ("", "table"):
            raise PageError((days + looks)[0][0], _NO_CHART)
        query = UserQuery(file.file, f"{file.name}-{number + 1}", sql)
        yield Chart(heading, line, query, drawn, lines, looks[0] if looks else None)


def _header(sql: str) -> tuple[str, dict[str, list[tuple[int, str]]], int]:
    """Return heading, fields by word with their lines, and the line after the leading comment.

    Empty lines before and among those of the comment are none of it.
    """
    heading, fields, number = [], {word: list[tuple[int, str]]() for word in _WORDS}, 1
    for number, line in enumerate(map(str.strip, sql.split("\n")), 1):
        if line and not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        match = _HEADER.fullmatch(text)
        if match and match[1] in fields:
            fields[match[1]].append((number, match[2]))
        elif match and (meant := get_close_matches(match[1].lower(), _WORDS, 1, 0.75)):
            raise PageError(number, f"there is no `{match[1]}`: did you mean `{meant[0]}`?")
        elif text:
            heading.append(text)
    return " ".join(heading), fields, number


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
