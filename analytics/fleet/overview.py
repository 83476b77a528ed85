"""The overview of a fleet: the sums of all shards, what failed, and a ranking of workspaces."""

from __future__ import annotations

from decimal import localcontext
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup

from analytics.files import folder
from analytics.format import names, text
from analytics.format.names import ALL
from analytics.report.columns import column
from analytics.report.entities import Entity
from analytics.report.files import packed
from analytics.report.months import encoded
from analytics.report.rendering import (
    SHOWN_ROWS,
    definitions,
    environment,
    folded,
    framed,
    headline_texts,
    said,
    section_of,
    sentences,
)
from analytics.report.site import DIGITS, bundle, for_engine
from analytics.report.spec import read_page
from analytics.report.tables import Tables
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from analytics.report.rendering import About
    from analytics.report.spec import Part

_LIST = "all.html"


def write_overview(con: duckdb.DuckDBPyConnection, target: Path, *, about: About) -> list[str]:
    """Write the fleet's own pages, data and assets into the empty folder `target`.

    `con` sees `marts` and `audit` of all shards, and
    `fleet.shards`: (workspace_id, shard, page, ended_at, exit_code, message) of each workspace.
    Returns the files, relative to `target`.
    """
    with localcontext(prec=DIGITS):
        files = _Overview(con, about).files()
    for name, content in files.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return list(files)


class _Overview:
    def __init__(self, con: duckdb.DuckDBPyConnection, about: About) -> None:
        self._about = about
        self._page = read_page(folder("reports") / "fleet.toml")
        self._concerns, self._ranking = (section.part[0] for section in self._page.section)
        con.execute(
            "create or replace temp table fleet_workspaces as"
            f" {over_queries(con, _query('workspaces'))}"
        )
        self._rows = pl.DataFrame(con.sql("from fleet_workspaces"), infer_schema_length=None)
        self._concerned = records(con, _query("concerns"))
        (self._totals,) = records(con, _query("totals"))
        self._members = [_member(row) for row in self._rows.iter_rows(named=True)]
        self._tables = Tables({each.key: each for each in self._members}, {}, "")

    def files(self) -> dict[str, bytes]:
        """Return the content of each file by its name."""
        reports = folder("reports")
        return {
            "index.html": self._overview().encode(),
            _LIST: self._list().encode(),
            "data/fleet.js": packed(self._document()),
            "assets/engine.js": bundle("fleet").encode(),
            "assets/style.css": (reports / "assets" / "style.css").read_bytes(),
        }

    def _overview(self) -> str:
        page, row = self._page, self._totals
        concerns, ranking = page.section
        heading = text.fill(page.title, row)
        return self._render(
            heading=heading,
            as_of=" ".join(said(page.as_of, row)),
            remarks=[f"Warning: {each}" for each in self._about.warnings],
            breadcrumb=[],
            concerns_title=text.fill(concerns.title, row),
            concerns_text=" ".join(sentences(concerns.remarks, row)),
            concerns=self._concerns_table(),
            headlines=[headline_texts(each, row) for each in page.headline],
            sections=[_section("ranking", ranking.title, self._ranking_table())],
            definitions=definitions(page.scope),
            scripts=["assets/engine.js", "data/fleet.js"],
        )

    def _list(self) -> str:
        """Return the page of links to all workspaces, by name, which needs no script."""
        links = sorted(
            ({"name": each.name, "href": each.path} for each in self._members),
            key=lambda link: (link["name"].casefold(), link["href"]),
        )
        made = _component("members", links)
        return self._render(
            heading="All workspaces by name",
            as_of=" ".join(said(self._page.as_of, self._totals)),
            breadcrumb=[{"name": "All workspaces", "href": "index.html"}],
            sections=[_section("members", "Workspaces", made)],
            scripts=["assets/engine.js"],
        )

    def _render(self, **given: Any) -> str:
        data = {"page": "fleet", "entity": "fleet", "workspace": "", "agent": ""}
        return framed(self._about, "", data=data, **given)

    def _concerns_table(self) -> Markup:
        """Return the first shards that concern the reader, and the others folded."""
        limit = self._concerns.limit
        shown, others = self._concerned[:limit], self._concerned[limit:]
        made = self._table(self._concerns, "shards", shown) if shown else Markup("")
        if others:
            title = f"{len(others):,} more"
            made += folded(title, self._table(self._concerns, "more-shards", others))
        return made

    def _ranking_table(self) -> Markup:
        part = self._ranking
        shown = self._rows.head(part.limit).iter_rows(named=True)
        return Markup("").join(
            [
                _component("search", "Find a workspace"),
                self._table(part, part.key, list(shown)),
                _component("ranking_end", self._rows.height, _LIST),
            ]
        )

    def _table(self, part: Part, key: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
        columns = [column(each) for each in part.columns]
        caption = text.fill(part.subtitle, self._totals)
        return self._tables.table(
            key, caption, columns, rows, limit=SHOWN_ROWS, relation="fleet.shards"
        )

    def _document(self) -> dict[str, object]:
        """Return the whole ranking, in its order, as the engine reads it."""
        columns = [column(each) for each in self._ranking.columns]
        figures = {name for each in columns if not each.kind for name in each.figures}
        frame = self._rows.select(
            pl.Series("name", [each.name for each in self._members], pl.String),
            "workspace_id",
            "page",
            pl.col("last_batch_at").dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            *sorted(figures),
        )
        return {
            "columns": [for_engine(each) for each in self._ranking.columns],
            "rows": encoded(frame),
        }


def _member(row: Mapping[str, Any]) -> Entity:
    """Return a workspace; one that was never published has no page."""
    name = names.display(row["workspace_name"], row["workspace_id"])
    return Entity("workspace", row["workspace_id"], ALL, name, row["page"] or "", row)


def _section(key: str, title: str, content: Markup) -> dict[str, Any]:
    part = {"key": "", "kind": "html", "label": "", "width": "", "table": content}
    return section_of(key, title, [part], is_open=True)


def _component(name: str, *given: object) -> Markup:
    components: Any = environment().get_template("components.html").module
    made: Markup = getattr(components, name)(*given)
    return made


def _query(name: str) -> str:
    return (folder("queries") / "fleet" / f"{name}.sql").read_text(encoding="utf-8")
