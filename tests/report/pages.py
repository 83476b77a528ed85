"""Reads built pages: their elements, texts, tables and figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

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
    def headlines(self) -> dict[str, list[str]]:
        """Each headline figure: what stands below its label."""
        return {
            each.all("dt")[0].text: [text.text for text in each.all("dd")]
            for each in self.root.all("div", **{"class": "headline"})
        }

    def table(self, key: str) -> list[list[str]]:
        """The rows of a table, its head first."""
        (table,) = self.root.all("table", id=key)
        return [
            [cell.text for cell in row.children if cell.tag in {"th", "td"}]
            for row in table.all("tr")
        ]


@dataclass
class Site:
    """A built site."""

    folder: Path

    @cached_property
    def pages(self) -> list[Page]:
        """All pages, the overview first."""
        return [*self.charted, *self.trust, *self.months, *self.statements]

    @cached_property
    def charted(self) -> list[Page]:
        """The pages with charts."""
        return [self.overview, *self.workspaces, *self.agents]

    @cached_property
    def statements(self) -> list[Page]:
        """The pages of the months of all workspaces."""
        return [Page(path) for path in sorted((self.folder / "months").iterdir())]

    @cached_property
    def trust(self) -> list[Page]:
        """The page of each workspace beside its main one."""
        return [Page(path) for path in sorted((self.folder / "workspaces").glob("*/trust.html"))]

    @cached_property
    def months(self) -> list[Page]:
        """The pages of the months of each workspace."""
        return [Page(path) for path in sorted((self.folder / "workspaces").glob("*/2*.html"))]

    def one(self, kind: str) -> Page:
        """A page of each kind: of a workspace, its last whole month and most expensive agent."""
        workspace = self.workspaces[-1]
        agent = workspace.root.all("noscript")[1].all("a")[0].attributes["href"]
        return {
            "overview": self.overview,
            "workspace": workspace,
            "month": self.months[-2],
            "statement": self.statements[-2],
            "agent": Page(workspace.path.parent / agent),
            "trust": self.trust[-1],
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
