"""Pages of one's own in the site: `own/<name>.html`, its rows in `data/own/<name>.js`, the menu."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from analytics.format import names
from analytics.report.own_parts import ChartError, headline, part_of
from analytics.report.packed import packed
from analytics.report.rendering import CONTENT_SECURITY_POLICY, About, environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.project.pages import AnsweredPage, Chart
    from analytics.project.runner import Answer
    from analytics.report.files import Files
    from analytics.report.spec import Part

_FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ROOT = "../"
_FIXED = (
    "This page follows no chosen period or agents: no SELECT of it has a column date, month,"
    " agent_id or workspace_id."
)
_PART = {"subtitle": "", "width": "", "table": "", "split": [], "show": []}


@dataclass(frozen=True)
class OwnPages:
    """The pages that were written, as the menu lists them, and the problems of them."""

    menu: list[dict[str, str]]
    problems: list[str]


def write(files: Files, answered: Iterable[AnsweredPage], about: About, code: str) -> OwnPages:
    """Write pages, or take them over from the published site where they are the same.

    `code` stands for what makes the files.
    """
    menu, problems = [], []
    for each in answered:
        made = _Made(each)
        problems += made.problems
        menu.append(made.entry)
        inputs = f"{code}-{made.digest(about)}"
        html, data = made.entry["path"], f"data/{made.entry['key']}.js"
        if not files.keep(html, inputs):
            files.write(html, made.html(about).encode(), inputs)
        if made.parts and not files.keep(data, inputs):
            files.write(data, packed(made.document), inputs)
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

    def digest(self, about: About) -> str:
        """Return a digest of all that makes the page and its data."""
        made = [self.entry, self._shown, self.headlines, self.document, about.timezone]
        encoded = msgspec.json.encode([about.code_version, about.home, made], enc_hook=str)
        return sha256(encoded).hexdigest()[:32]

    def html(self, about: About) -> str:
        """Return the page."""
        entry, reach = self.entry, f"days and months in {about.timezone}"
        is_choosable = any({"date", "member"} & rows.keys() for rows in self._rows.values())
        notes = ["It follows no choice."] if is_choosable else []
        return (
            environment()
            .get_template("page.html")
            .render(
                root=_ROOT,
                policy=CONTENT_SECURITY_POLICY,
                title=f"{entry['name']} \u2013 {entry['group']}",
                reach=reach,
                heading=entry["name"],
                as_of="Data of the last batch.",
                remarks=[] if is_choosable or not self.parts else [_FIXED],
                breadcrumb=[
                    *about.above(_ROOT),
                    {"name": "All workspaces", "href": f"{_ROOT}index.html"},
                ],
                tabs=[],
                members=[],
                needs=None,
                cards=[],
                headlines=[each | {"notes": notes} for each in self.headlines],
                is_choosable=is_choosable,
                members_name="Agents and workspaces",
                sections=[_section(self._shown)] if self._shown else [],
                has_runs=False,
                definitions=[],
                definitions_href=f"{_ROOT}index.html#definitions",
                footer=[f"Levain analytics {about.code_version} · {self._file} · {reach}"],
                data={"page": entry["key"], "entity": "own", "workspace": "", "agent": ""},
                scripts=[
                    "assets/engine.js",
                    "data/site.js",
                    *([f"data/{entry['key']}.js"] if self.parts else []),
                    *(["assets/plotly.min.js"] if any(each.mark for each in self.parts) else []),
                ],
            )
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
        kind, label = "chart" if part.mark else "table", names.display(chart.heading or title)
        self._shown.append(_PART | {"key": key, "kind": kind, "label": label})


def _notice(problem: str, heading: str = "") -> dict[str, Any]:
    """Return a problem as it stands in place of a page or a chart."""
    title = Markup("<h3>{}</h3>").format(names.display(heading)) if heading else Markup("")
    text = Markup('<p class="notice">{}</p>').format(names.visible(problem))
    return _PART | {"key": "", "kind": "html", "label": "", "table": title + text}


def _section(parts: list[dict[str, Any]]) -> dict[str, Any]:
    given = {"key": "figures", "title": "Charts and tables", "text": "", "is_folded": False}
    return given | {"is_open": True, "parts": parts}
