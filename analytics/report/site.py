"""The entry: builds the site from a connection that has the page queries."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import localcontext
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file
from importlib.resources import files as package
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.files import folder
from analytics.report import months, own
from analytics.report.columns import column
from analytics.report.entities import Entities
from analytics.report.files import Files, packed
from analytics.report.pages import Pages
from analytics.report.spec import read_pages
from analytics.terminal import tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import duckdb

    from analytics.project.pages import AnsweredPage
    from analytics.report.entities import Entity
    from analytics.report.rendering import About
    from analytics.report.spec import Page
    from analytics.terminal import Before

DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it

_IMPORT = re.compile(r'^import\b[^;]*"\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


@dataclass(frozen=True)
class SiteSummary:
    """The pages and files of a site, and those that were taken over from the site before.

    `problems` are those of pages of one's own.
    """

    page_count: int
    file_count: int
    kept_count: int
    problems: tuple[str, ...] = ()


def build_site(
    con: duckdb.DuckDBPyConnection,
    target: Path,
    *,
    about: About,
    published: Path | None = None,
    pages: dict[str, Page] | None = None,
    beside: Mapping[str, bytes] | None = None,
    own_pages: Iterable[AnsweredPage] = (),
    before: Before | None = None,
) -> SiteSummary:
    """Write all pages, data and assets into the empty folder `target`.

    Data files of the same rows as those of the site in `published` are taken over from there.
    `pages` are specifications, if not all of ours: links to others lead nowhere. `beside` has
    further files by name. `before` is told of each file of figures that is written, then of each
    page.
    """
    pages = read_pages() if pages is None else pages
    files, entities, code = Files(target, published), Entities(con), _digest_of_code()
    with localcontext(prec=DIGITS):
        if pages:
            months.write(con, files, entities, pages.values(), code, before)
        shown = [entity for page in pages.values() for entity in entities.of(page.scope)]
        told = tracked(shown, before, attrgetter("name"))
        for page in pages.values():
            columns = months.layout(con, pages.values(), page.scope)
            files.write(
                f"data/pages/{page.name}.js", packed(_resolved(page) | {"columns": columns})
            )
            made = Pages(con, page, pages, entities, about)
            for entity in islice(told, len(entities.of(page.scope))):
                files.write(page.path(entity), made.html(entity).encode())
        for name, content in (beside or {}).items():
            files.write(name, content)
        menu, problems = own.write(files, own_pages, about)
        document = entities.document(partial(_further, pages))
        files.write("data/site.js", packed(document | {"own": menu}))
        _write_assets(files, code)
        files.finish(about.as_of)
    page_count = len(shown) + len(menu)
    return SiteSummary(page_count, files.count, files.kept_count, tuple(problems))


def _write_assets(files: Files, code: str) -> None:
    """Write what all pages load, or take it over: `code` stands for what makes it."""
    style = folder("reports") / "assets" / "style.css"
    assets: dict[str, Callable[[], bytes]] = {
        "engine.js": lambda: bundle().encode(),
        "style.css": style.read_bytes,
        "plotly.min.js": _library,
    }
    for name, made in assets.items():
        if not files.keep(f"assets/{name}", code):
            files.write(f"assets/{name}", made(), code)


def _library() -> bytes:
    with as_file(package("plotly") / "package_data" / "plotly.min.js") as library:
        return library.read_bytes()


def bundle() -> str:
    """Return the engine as one script, as a page from disk can load no module.

    Each module stands after those that it imports.
    """
    from analytics.report.looks import looks  # of Plotly, which takes 0.1 s to import

    modules: dict[str, str] = {}

    def add(name: str) -> None:
        text = (folder("reports") / "engine" / f"{name}.js").read_text(encoding="utf-8")
        for imported in _IMPORT.findall(text):
            if imported not in modules:
                add(imported)
        modules[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    add("page")
    parts = [f"const LOOKS = {json.dumps(looks())};\n", *modules.values()]
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
                known = column(draw["value"])
                draw["value"] = f"{known.expression}|{known.unit}"
                draw.setdefault("name", known.label)
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
    """Return a digest of the modules and texts that make data files and assets."""
    digest = sha256((folder("queries") / "measures.toml").read_bytes())
    digest.update(version("plotly").encode())
    report = Path(__file__).parent
    for root in (report, report.with_name("format"), folder("reports")):
        for file in sorted(root.rglob("*.*")):
            if file.suffix in {".py", ".js", ".toml", ".html", ".css"}:
                digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]
