"""The overview of a fleet: the sums of all shards, what failed, and a ranking of workspaces."""

from __future__ import annotations

from decimal import localcontext
from typing import TYPE_CHECKING, Any

from analytics.files import folder
from analytics.format import names, numbers, text
from analytics.format.names import ALL
from analytics.report.entities import Entities, Entity
from analytics.report.files import packed
from analytics.report.pages import Pages
from analytics.report.site import DIGITS, bundle
from analytics.report.spec import read_pages
from analytics.transform.findings.urgency import ACT_NOW
from analytics.transform.page_queries import over_queries
from analytics.warehouse.database import records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

    from analytics.report.rendering import About

_SHOWN = 10
"""Shards that need a person; the others are folded."""


def write_overview(con: duckdb.DuckDBPyConnection, target: Path, *, about: About) -> None:
    """Write the fleet's own page, data and assets into the empty folder `target`.

    `con` sees `marts` and `audit` of all shards, and
    `fleet.shards`: (workspace_id, shard, page, ended_at, exit_code, message) of each workspace.
    """
    reports = folder("reports")
    with localcontext(prec=DIGITS):
        con.execute(f"create or replace temp table fleet_workspaces as {_query(con, 'workspaces')}")
        workspaces = _Workspaces(con)
        page = _Overview(con, workspaces, about)
        content = {
            "index.html": page.html(workspaces.site).encode(),
            "data/site.js": packed(workspaces.index(about)),
            "data/pages/overview.js": packed({"scope": "site", "parts": [], "columns": {}}),
            "assets/engine.js": bundle().encode(),
            "assets/style.css": (reports / "assets" / "style.css").read_bytes(),
        }
    for name, each in content.items():
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(each)


class _Workspaces(Entities):
    """All workspaces of a fleet, whose pages are those of their shards, in the order of cost."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        (totals,) = records(con, _query(con, "totals"))
        site = Entity("site", ALL, ALL, "All workspaces", "index.html", totals)
        self._put([site, *map(_member, records(con, "from fleet_workspaces"))])

    def index(self, about: About) -> dict[str, object]:
        """Return what scripts know of the site: names and addresses, which the menu finds."""
        none: dict[str, list[object]] = {"months": [], "pages": []}
        day = about.as_of.date()
        members = sorted(self.of("workspace"), key=lambda each: (each.name.casefold(), each.path))
        return {
            **none,
            "own": [],
            "today": day,
            "yesterday": self.site.row["yesterday"] or day,
            "first": None,
            "workspaces": [
                {
                    "id": each.workspace_id,
                    "name": each.name,
                    "path": each.path,
                    "entity": each.stem,
                    "agents": [],
                    **none,
                }
                for each in members  # one that was never published has no page
            ],
        }


def _member(row: Mapping[str, Any]) -> Entity:
    name = names.display(row["workspace_name"], row["workspace_id"])
    return Entity("workspace", row["workspace_id"], ALL, name, row["page"] or "", row)


class _Overview(Pages):
    """The page of all workspaces, on which shards stand where a site has its findings."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, workspaces: _Workspaces, about: About
    ) -> None:
        pages = read_pages(folder("reports") / "fleet")
        super().__init__(con, pages["overview"], pages, workspaces, about)
        self._concerns = [
            _concern(row, workspaces.by_key[row["workspace_id"], ALL])
            for row in records(con, _query(con, "concerns"))
        ]

    def _found(self, _entity: Entity, _root: str) -> dict[str, Any] | None:
        """Return the shards that failed, were never published, or are behind."""
        if not self._concerns:
            return None
        shown, more = self._concerns[:_SHOWN], self._concerns[_SHOWN:]
        return {"shown": shown, "more": more, "news": "", "quiet": []}


def _concern(row: Mapping[str, Any], member: Entity) -> dict[str, Any]:
    """Return the line of a shard, and of the most expensive workspace that it concerns."""
    told = f": {names.visible(row['message'])}" if row["message"] else ""
    count, reach = row["workspace_count"], text.known("figures to {last_batch_at|instant}", row)
    others = f" and {numbers.plural(count - 1, 'other')}" if count > 1 else ""
    name = "" if member.name == row["shard"] else member.name + others
    return {
        "urgency": ACT_NOW,
        "text": f"{row['shard']} {row['state']}{told}",
        "note": ", ".join(filter(None, [name, reach])),
        "href": member.path or "#ranking",
        "amount": "",
        "reasons": [],
        "code": "",
        "is_new": False,
    }


def _query(con: duckdb.DuckDBPyConnection, name: str) -> str:
    file = folder("queries") / "fleet" / f"{name}.sql"
    return over_queries(con, file.read_text(encoding="utf-8"))
