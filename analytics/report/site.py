"""The entry: builds the whole site from a connection that sees the schema `marts`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from decimal import localcontext
from importlib.resources import as_file, files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from analytics.report import agent, assemble, overview, provenance, reads, rendering, workspace
from analytics.report.provenance import NOTHING
from analytics.resources import folder

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import duckdb

_DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it


@dataclass(frozen=True)
class About:
    """What the site says of itself; `as_of` is in UTC, `timezone` an IANA name."""

    as_of: datetime
    code_version: str
    timezone: str
    load_count: int
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SiteSummary:
    """What was built."""

    page_count: int
    workspace_count: int
    agent_count: int
    byte_count: int


def build_site(con: duckdb.DuckDBPyConnection, target: Path, *, about: About) -> SiteSummary:
    """Writes all pages and their assets into the empty folder `target`."""
    with localcontext(prec=_DIGITS):
        return _build(con, target, about)


def _build(con: duckdb.DuckDBPyConnection, target: Path, about: About) -> SiteSummary:
    zone = ZoneInfo(about.timezone)
    workspaces = assemble.workspaces(con, about.as_of, zone)
    checks = reads.checks(con)
    made_of = provenance.of_pages(con)
    pages = rendering.Pages(about)
    for name in ("assets", "workspaces", "agents"):
        (target / name).mkdir()

    subject = assemble.everything(workspaces, about.as_of, zone)
    context = overview.page(workspaces, subject, checks, about.timezone)
    pages.write("overview.html", target / "index.html", context, made_of.get((), NOTHING))
    for each in workspaces:
        context = workspace.page(each, about.timezone)
        source = made_of.get((each.row.workspace_id,), NOTHING)
        pages.write("workspace.html", target / each.path, context, source)
        for one in each.agents:
            context = agent.page(one, each, about.timezone)
            source = made_of.get(one.row.key, NOTHING)
            pages.write("agent.html", target / one.path, context, source)
    _copy_assets(target / "assets")
    return SiteSummary(
        page_count=pages.count,
        workspace_count=len(workspaces),
        agent_count=sum(len(each.agents) for each in workspaces),
        byte_count=sum(path.stat().st_size for path in target.rglob("*") if path.is_file()),
    )


def _copy_assets(target: Path) -> None:
    for name in ("style.css", "script.js"):
        shutil.copyfile(folder("reports") / name, target / name)
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as library:
        shutil.copyfile(library, target / "plotly.min.js")
