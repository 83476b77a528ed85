"""The entry: builds the site from a connection that has the page queries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import localcontext
from functools import partial
from hashlib import sha256
from importlib.resources import as_file, files
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.files import folder
from analytics.report import months, own
from analytics.report.columns import column, default_label, default_unit
from analytics.report.entities import Entities
from analytics.report.files import Files
from analytics.report.looks import looks
from analytics.report.packed import packed
from analytics.report.rendering import About, Pages
from analytics.report.spec import read_pages
from analytics.terminal import tracked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb

    from analytics.project.pages import AnsweredPage
    from analytics.report.entities import Entity, Scope
    from analytics.report.spec import Page
    from analytics.terminal import Before

ENGINE = (
    "days",
    "format",
    "cube",
    "part",
    "period",
    "cells",
    "view",
    "cards",
    "axes",
    "plot",
    "answers",
    "load",
    "state",
    "tables",
    "theme",
    "print",
    "picker",
    "nav",
    "runs",
    "page",
)
"""Modules of the engine, each after those that it imports."""

DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it

_IMPORT = re.compile(r"^import\b[^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


@dataclass(frozen=True)
class SiteSummary:
    """The size of a site, and how many of its files were taken over from the site before.

    `problems` are those of pages of one's own.
    """

    page_count: int
    file_count: int
    kept_count: int
    byte_count: int
    problems: tuple[str, ...] = ()


def build_site(
    con: duckdb.DuckDBPyConnection,
    target: Path,
    *,
    about: About,
    published: Path | None = None,
    pages: Path | None = None,
    beside: Mapping[str, bytes] | None = None,
    own_pages: Iterable[AnsweredPage] = (),
    before: Before | None = None,
) -> SiteSummary:
    """Write all pages, data and assets into the empty folder `target`.

    Data files of the same rows as those of the site in `published` are taken over from there.
    `pages` is a folder of specifications, if not our own; `beside` has further files by name.
    `before` is told of each file of figures that is written, then of each page.
    """
    with localcontext(prec=DIGITS):
        made = _Build(con, target, about, published)
        return made.site(read_pages(pages), beside or {}, own_pages, before)


def build_own_pages(
    con: duckdb.DuckDBPyConnection, target: Path, about: About, own_pages: Iterable[AnsweredPage]
) -> SiteSummary:
    """Write pages of one's own alone, with their data and assets, into the empty folder `target`.

    Their links to other pages lead nowhere.
    """
    with localcontext(prec=DIGITS):
        return _Build(con, target, about, None).site({}, {}, own_pages, None)


class _Build:
    def __init__(
        self, con: duckdb.DuckDBPyConnection, target: Path, about: About, published: Path | None
    ) -> None:
        self._con, self._target, self._about = con, target, about
        self._files = Files(target, published)
        self._entities = Entities(con)

    def site(
        self,
        pages: dict[str, Page],
        beside: Mapping[str, bytes],
        own_pages: Iterable[AnsweredPage],
        before: Before | None,
    ) -> SiteSummary:
        files = self._files
        if pages:
            code = _digest_of_code()
            months.write(self._con, files, self._entities, pages.values(), code, before)
        entities = [entity for page in pages.values() for entity in self._of(page)]
        parts = tracked(entities, before, attrgetter("name"))
        for page in pages.values():
            self._pages(page, pages, islice(parts, len(self._of(page))))
        for name, content in beside.items():
            files.write(name, content)
        own_ones = own.write(files, own_pages, self._about)
        document = self._entities.document(partial(_further, pages))
        files.write("data/site.js", packed(document | {"own": own_ones.menu}))
        self._assets()
        files.finish(self._about.as_of)
        return SiteSummary(
            len(entities) + len(own_ones.menu),
            files.count,
            files.kept_count,
            files.byte_count,
            tuple(own_ones.problems),
        )

    def _pages(self, page: Page, pages: dict[str, Page], entities: Iterable[Entity]) -> None:
        """Write the pages of a specification."""
        document = _resolved(page)
        document["columns"] = months.layout(self._con, months.charted(pages.values(), page.scope))
        self._files.write(f"data/pages/{page.name}.js", packed(document))
        made = Pages(self._con, page, pages, self._entities, self._about)
        for entity in entities:
            self._files.write(page.path(entity), made.html(entity).encode())

    def _of(self, page: Page) -> Sequence[Entity]:
        of: dict[Scope, Sequence[Entity]] = {
            "site": [self._entities.site],
            "workspace": self._entities.workspaces,
            "month": [*self._entities.months.values()],
            "agent": self._entities.agents,
        }
        return of[page.scope]

    def _assets(self) -> None:
        reports = folder("reports")
        self._files.write("assets/engine.js", bundle(reports / "engine").encode())
        self._files.write("assets/style.css", (reports / "assets" / "style.css").read_bytes())
        with as_file(files("plotly") / "package_data" / "plotly.min.js") as library:
            self._files.write("assets/plotly.min.js", library.read_bytes())


def bundle(engine: Path) -> str:
    """Return the modules of the engine as one script: a page from disk can load no module."""
    parts = [f"const LOOKS = {json.dumps(looks())};\n"]
    parts += [
        _EXPORT.sub("", _IMPORT.sub("", (engine / f"{name}.js").read_text(encoding="utf-8")))
        for name in ENGINE
    ]
    return '"use strict";\n(() => {\n' + "".join(parts) + "})();\n"


def _further(pages: Mapping[str, Page], entity: Entity) -> list[dict[str, str]]:
    """Return the pages of an entity beside its main one."""
    return [
        {"key": page.name, "name": page.menu or page.name, "path": page.path(entity)}
        for page in pages.values()
        if page.scope == entity.scope and page.path(entity) != entity.path
    ]


def _resolved(page: Page) -> dict[str, object]:
    """Return a specification as the engine reads it: each column with its unit and label."""
    parts = []
    for part in page.parts:
        if part.chosen:
            document = msgspec.to_builtins(part)
            document["columns"] = [for_engine(each) for each in part.columns]
            for draw in document.get("draw", []):
                name, _, unit = draw["value"].partition("|")
                draw["value"] = f"{name}|{unit or default_unit(name)}"
                draw.setdefault("name", default_label(name))
            parts.append(document)
    return {"scope": page.scope, "parts": parts}


def for_engine(text: str) -> str:
    """Return a column with its unit and label; the engine names keys by their column."""
    known = column(text)
    unit = {"name": "name", "text": "text"}.get(known.kind, known.unit)
    if known.unit in {"day", "month", "instant"}:
        unit = known.unit
    return f"{known.expression}|{unit}|{known.label}"


def _digest_of_code() -> str:
    """Return a digest of the modules and texts that make data files."""
    digest = sha256((folder("queries") / "measures.toml").read_bytes())
    report = Path(__file__).parent
    for root in (report, report.with_name("format"), folder("reports")):
        for file in sorted(root.rglob("*.*")):
            if file.suffix in {".py", ".js", ".toml", ".html", ".css"}:
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]
