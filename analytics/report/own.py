"""Pages of one's own in the site: `own/<name>.html`, its rows in `data/own/<name>.js`, the menu."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from analytics.format import names, text
from analytics.report.own_parts import ChartError, headline, part_of
from analytics.report.packed import packed
from analytics.report.rendering import About, frame_of, framed, scripts
from analytics.report.spec import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.bounded.runner import Answer
    from analytics.project.pages import AnsweredPage, Chart
    from analytics.report.files import Files

_FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ROOT = "../"
_FIXED = (
    "This page follows no chosen period or agents: no SELECT of it has a column date, month,"
    " agent_id or workspace_id."
)


@dataclass(frozen=True)
class OwnPages:
    """The pages that were written, as the menu lists them, and the problems of them."""

    menu: list[dict[str, str]]
    problems: list[str]


def write(files: Files, answered: Iterable[AnsweredPage], about: About) -> OwnPages:
    """Write the pages of these answers, and their rows."""
    menu, problems = [], []
    for each in answered:
        made = _Made(each)
        problems += made.problems
        menu.append(made.entry)
        files.write(made.entry["path"], made.html(about).encode())
        if made.parts:
            files.write(f"data/{made.entry['key']}.js", packed(made.document))
    menu.sort(key=lambda entry: [entry[each].lower() for each in ("group", "name", "key")])
    return OwnPages(menu, problems)


class _Made:
    """A page of one's own: its headlines, its parts, and the problems that stand in their place."""

    def __init__(self, answered: AnsweredPage) -> None:
        page = answered.page
        # A name that is none of a file has its digest in it.
        is_name = _FILE_NAME.fullmatch(page.name)
        name = page.name if is_name else names.file_name(page.file).removesuffix(".html")
        self.entry = {
            "key": f"own/{name}",
            "group": names.display(page.group),
            "name": names.display(page.title),
            "path": f"own/{name}.html",
        }
        self.problems: list[str] = [page.error] if page.error else []
        self.headlines: list[dict[str, Any]] = []
        self.parts: list[Part] = []
        self._file = names.visible(page.file)
        self._rows: dict[str, dict[str, object]] = {}
        self._shown: list[dict[str, Any]] = [_notice(page.error)] if page.error else []
        for number, chart in enumerate(page.charts):
            self._add(f"part-{number + 1}", chart, page.title, answered.answers[number])

    @property
    def document(self) -> dict[str, object]:
        """The parts and their rows, as the engine reads them."""
        return {"parts": [msgspec.to_builtins(each) for each in self.parts], "rows": self._rows}

    def html(self, about: About) -> str:
        """Return the page."""
        entry, reach = self.entry, f"days and months in {about.timezone}"
        is_choosable = any({"date", "member"} & rows.keys() for rows in self._rows.values())
        notes = ["It follows no choice."] if is_choosable else []
        site = {"name": "All workspaces", "href": f"{_ROOT}index.html"}
        return framed(
            about,
            _ROOT,
            title=f"{entry['name']} \u2013 {entry['group']}",
            reach=reach,
            heading=entry["name"],
            as_of=text.fill("Data to {as_of|instant}.", {"as_of": about.as_of}),
            remarks=[] if is_choosable or not self.parts else [_FIXED],
            breadcrumb=[*about.above(_ROOT), site],
            headlines=[each | {"notes": notes} for each in self.headlines],
            is_choosable=is_choosable,
            members_name="Agents and workspaces",
            sections=[_section(self._shown)] if self._shown else [],
            footer=[f"Levain analytics {about.code_version} · {self._file} · {reach}"],
            data={"page": entry["key"], "entity": "own", "workspace": "", "agent": ""},
            scripts=scripts(entry["key"], self.parts),
        )

    def _add(self, key: str, chart: Chart, title: str, answer: Answer) -> None:
        if value := headline(chart, answer):
            self.headlines.append(value | {"change": ""})
            return
        try:
            part, self._rows[key] = part_of(key, chart, title, answer)
        except ChartError as error:
            self.problems.append(str(error))
            self._shown.append(_notice(str(error), chart.heading))
            return
        self.parts.append(part)
        self._shown.append(frame_of(part) | {"subtitle": ""})


def _notice(problem: str, heading: str = "") -> dict[str, Any]:
    """Return a problem as it stands in place of a page or a chart."""
    title = Markup("<h3>{}</h3>").format(names.display(heading)) if heading else Markup("")
    told = Markup('<p class="notice">{}</p>').format(names.visible(problem))
    return frame_of(Part(key="", data="")) | {"kind": "html", "table": title + told}


def _section(parts: list[dict[str, Any]]) -> dict[str, Any]:
    given = {"key": "figures", "title": "Charts and tables", "text": "", "is_folded": False}
    return given | {"is_open": True, "parts": parts}
