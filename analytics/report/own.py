"""Pages of one's own in the site: `own/<name>.html`, its rows in `data/own/<name>.js`, the menu."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from analytics.format import names
from analytics.report.own_charts import follows, headline, part_of
from analytics.report.own_columns import ChartError
from analytics.report.packed import packed
from analytics.report.rendering import CONTENT_SECURITY_POLICY, About, environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.custom.page_answers import AnsweredPage
    from analytics.custom.pages import Chart, UserPage
    from analytics.custom.runner import Answer
    from analytics.report.files import Files

_FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ROOT = "../"


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
            files.write(data, packed({"parts": made.parts}), inputs)
    menu.sort(key=lambda entry: [entry[each].lower() for each in ("group", "name", "key")])
    return OwnPages(menu, problems)


class _Made:
    """A page of one's own: its headlines, its parts, and the problems that stand in their place."""

    def __init__(self, answered: AnsweredPage) -> None:
        self._page = page = answered.page
        self.problems: list[str] = [page.error] if page.error else []
        self.headlines: list[dict[str, Any]] = []
        self.parts: list[dict[str, Any]] = []
        self._shown: list[dict[str, Any]] = [_notice(page.error)] if page.error else []
        for number, chart in enumerate(page.charts):
            self._add(f"part-{number + 1}", chart, answered.answers[number])

    @property
    def entry(self) -> dict[str, str]:
        """The page in the menu."""
        key = f"own/{_name(self._page)}"
        return {
            "key": key,
            "group": names.display(self._page.group),
            "name": names.display(self._page.title),
            "path": f"{key}.html",
        }

    def digest(self, about: About) -> str:
        """Return a digest of all that makes the page and its data."""
        made = [self.entry, self._shown, self.headlines, self.parts, about.timezone]
        encoded = msgspec.json.encode([about.code_version, about.home, made], enc_hook=str)
        return sha256(encoded).hexdigest()[:32]

    def html(self, about: About) -> str:
        """Return the page."""
        entry, file = self.entry, names.visible(self._page.file)
        reach = f"days and months in {about.timezone}"
        is_choosable = any(map(follows, self.parts))
        notes = [_FIXED_VALUE] if is_choosable else []
        has_charts = any("mark" in each for each in self.parts)
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
                    {"name": entry["name"]},
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
                footer=[f"Levain analytics {about.code_version} · {file} · {reach}"],
                data={"page": entry["key"], "entity": "own", "workspace": "", "agent": ""},
                scripts=[
                    "assets/engine.js",
                    "data/site.js",
                    *([f"data/{entry['key']}.js"] if self.parts else []),
                    *(["assets/plotly.min.js"] if has_charts else []),
                ],
            )
        )

    def _add(self, key: str, chart: Chart, answer: Answer) -> None:
        if value := headline(chart, answer):
            self.headlines.append(value | {"change": ""})
            return
        try:
            part = part_of(key, chart, answer)
        except ChartError as error:
            self.problems.append(str(error))
            self._shown.append(_notice(str(error), chart.heading))
            return
        self.parts.append(part)
        part["label"] = names.display(part["label"] or self._page.title)
        kind = "chart" if "mark" in part else "table"
        shown = {"key": key, "kind": kind, "label": part["label"]}
        self._shown.append(_EMPTY | shown | {"subtitle": part.get("subtitle", "")})


def _name(page: UserPage) -> str:
    """Return the name of a page's files; one that is no name has its digest in it."""
    if _FILE_NAME.fullmatch(page.name):
        return page.name
    return names.file_name(page.file).removesuffix(".html")


_FIXED_VALUE = "It follows no choice."
_FIXED = (
    "This page follows no chosen period or agents: no SELECT of it has a column date, month,"
    " agent_id or workspace_id."
)
_EMPTY = {"subtitle": "", "width": "", "table": "", "split": [], "show": []}


def _notice(problem: str, heading: str = "") -> dict[str, Any]:
    """Return a problem as it stands in place of a page or a chart."""
    title = Markup("<h3>{}</h3>").format(names.display(heading)) if heading else Markup("")
    text = Markup('<p class="notice">{}</p>').format(names.visible(problem))
    return _EMPTY | {"key": "", "kind": "html", "label": "", "table": title + text}


def _section(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": "figures",
        "title": "Charts and tables",
        "text": "",
        "is_folded": False,
        "is_open": True,
        "parts": parts,
    }
