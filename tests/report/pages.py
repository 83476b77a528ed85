"""Reads built pages: their elements, texts, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from analytics.report.files import packed
from analytics.report.site import SiteSummary

_VOID = {"meta", "link", "rect", "line", "circle", "path", "br", "input", "wbr"}


@dataclass
class Element:
    """An element of a page, with its text and that of its children."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag inside of this one, in order."""
        found = []
        for child in self.children:
            if child.tag == tag and attributes.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def everything(self) -> list[Element]:
        """All elements inside of this one."""
        return [each for child in self.children for each in (child, *child.everything())]


class _Parser(HTMLParser):
    """Builds the tree and insists that every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {tag} {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.texts.append(data)


@dataclass
class Page:
    """A built page."""

    path: Path

    def __post_init__(self) -> None:
        self.source = self.path.read_text("utf-8")
        parser = _Parser()
        parser.feed(self.source)
        parser.close()
        assert parser.open == [parser.root], "an element is left open"
        self.root = parser.root

    @property
    def kpis(self) -> dict[str, list[str]]:
        """Each headline figure: what stands below its label."""
        return {
            kpi.all("dt")[0].text: [each.text for each in kpi.all("dd")]
            for kpi in self.root.all("div", **{"class": "kpi"})
        }

    def table(self, key: str) -> list[list[str]]:
        """The rows of a table, its head first."""
        (table,) = self.root.all("table", id=key)
        return [
            [cell.text for cell in row.children if cell.tag in {"th", "td"}]
            for row in table.all("tr")
        ]

    @cached_property
    def charts(self) -> dict[str, Any]:
        """What each chart of the page is drawn from, by key."""
        if "data-charts" not in self.root.all("body")[0].attributes:
            return {}
        charts: dict[str, Any] = packed.read(self._data("data-charts"))
        return charts

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The figures of the page by day, as its data file has them."""
        facts: dict[str, Any] = packed.read(self._data("data-data"))
        return facts

    def amounts(self, measure: str) -> dict[str, Decimal | None]:
        """A measure of money by day."""
        first = date.fromisoformat(self.facts["first"])
        return {
            (first + timedelta(days=index)).isoformat(): value and Decimal(value).scaleb(-10)
            for index, value in enumerate(self.facts["measures"][measure])
        }

    def _data(self, attribute: str) -> Path:
        (body,) = self.root.all("body")
        return (
            self.path.parent
            / body.attributes["data-root"]
            / "data"
            / f"{body.attributes[attribute]}.js"
        )


@dataclass
class Site:
    """A built site."""

    folder: Path
    summary: SiteSummary | None = None

    @cached_property
    def pages(self) -> list[Page]:
        """All pages, the overview first."""
        return [*self.charted, *self.controls]

    @cached_property
    def charted(self) -> list[Page]:
        """The pages with charts."""
        return [self.overview, *self.workspaces, *self.agents]

    @cached_property
    def controls(self) -> list[Page]:
        """The pages Data quality and Reconciliation of each workspace, in this order."""
        return [Page(path) for path in sorted((self.folder / "workspaces").glob("*/*.html"))]

    def one(self, kind: str) -> Page:
        """A page of each kind: overview, workspace, agent, quality, reconciliation."""
        quality, reconciliation = self.controls[-2:]
        return {
            "overview": self.overview,
            "workspace": self.workspaces[0],
            "agent": max(self.agents, key=lambda page: len(page.root.all("tr"))),
            "quality": quality,
            "reconciliation": reconciliation,
        }[kind]

    @cached_property
    def overview(self) -> Page:
        return Page(self.folder / "index.html")

    @cached_property
    def workspaces(self) -> list[Page]:
        return [Page(path) for path in sorted((self.folder / "workspaces").glob("*.html"))]

    @cached_property
    def agents(self) -> list[Page]:
        return [Page(path) for path in sorted((self.folder / "agents").iterdir())]
