"""The entry: builds the whole site from a connection that sees the schema `marts`."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import localcontext
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from analytics.report.controls import pages as controls
from analytics.report.controls import standing
from analytics.report.figures import assemble
from analytics.report.files import fingerprints, packed, provenance, rendering
from analytics.report.files.manifest import Manifest
from analytics.report.files.provenance import NOTHING
from analytics.report.marts import reads
from analytics.report.pages import agent, overview, workspace
from analytics.resources import folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    import duckdb

    from analytics.report.figures.facts import Agent, AgentSheet, Sheet, Subject, Workspace
    from analytics.report.files.provenance import PageKey
    from analytics.report.writing.blocks import Chart

SCRIPTS = (
    "numbers",
    "facts",
    "rates",
    "axes",
    "charts",
    "tables",
    "runs",
    "periods",
    "telling",
    "rows",
    "paper",
    "page",
)
_DIGITS = 60  # a sum of DECIMAL(38,10) has 38; the usual 28 would round it
_AGENTS_AT_ONCE = 100  # what they show is held in memory together


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
    """What was built, and how many of the pages were taken over from the site before."""

    page_count: int
    workspace_count: int
    agent_count: int
    byte_count: int
    kept_count: int = 0


def build_site(
    con: duckdb.DuckDBPyConnection,
    target: Path,
    *,
    about: About,
    published: Path | None = None,
) -> SiteSummary:
    """Writes all pages and their assets into the empty folder `target`.

    Pages of agents that are the same on the site in `published` are taken over from there.
    """
    with localcontext(prec=_DIGITS):
        return _Build(con, target, about, Manifest(target, published)).site()


class _Build:
    def __init__(
        self, con: duckdb.DuckDBPyConnection, target: Path, about: About, manifest: Manifest
    ) -> None:
        self._con, self._target, self._about, self._manifest = con, target, about, manifest
        self._zone = ZoneInfo(about.timezone)
        self._pages = rendering.Pages(about, SCRIPTS)
        self._made_of = provenance.of_pages(con)

    def site(self) -> SiteSummary:
        for name in ("assets", "data", "workspaces", "agents"):
            (self._target / name).mkdir()
        workspaces = assemble.workspaces(self._con, self._about.as_of, self._zone)
        sheets = assemble.workspace_sheets(self._con, workspaces, self._about.timezone)
        self._overview(workspaces, sheets)
        self._workspaces(workspaces, sheets)
        self._agents(workspaces)
        self._controls(workspaces)
        _copy_assets(self._target / "assets")
        self._manifest.write()
        return SiteSummary(
            page_count=self._pages.count + self._manifest.kept_count,
            workspace_count=len(workspaces),
            agent_count=sum(len(each.agents) for each in workspaces),
            byte_count=sum(p.stat().st_size for p in self._target.rglob("*") if p.is_file()),
            kept_count=self._manifest.kept_count,
        )

    def _overview(self, workspaces: list[Workspace], sheets: list[Sheet]) -> None:
        subject = assemble.everything(workspaces, self._about.as_of, self._zone)
        checks = reads.checks(self._con)
        context = overview.page(workspaces, sheets, subject, checks, self._about.timezone)
        context["standing"] = standing.table(self._con, workspaces)
        data = {"overview": overview.data(workspaces, subject)}
        self._write("overview.html", "index.html", (), context, data)
        self._charts("overview-charts", context["charts"])

    def _workspaces(self, workspaces: list[Workspace], sheets: list[Sheet]) -> None:
        for each, sheet in zip(workspaces, sheets, strict=True):
            context = workspace.page(each, sheet, self._about.timezone)
            files = workspace.data(sheet, assemble.agent_split(self._con, each))
            data = {f"{each.data}{end}": document for end, document in files.items()}
            key = (each.row.workspace_id,)
            self._write("workspace.html", each.path, key, context, data)
            self._charts(f"{each.data}-charts", context["charts"])

    def _controls(self, workspaces: list[Workspace]) -> None:
        for each in workspaces:
            (self._target / "workspaces" / each.data).mkdir()
            for name, context in controls.of_workspace(self._con, each).items():
                path = f"workspaces/{each.data}/{name}.html"
                self._write(f"{name}.html", path, (each.row.workspace_id,), context, {})

    def _agents(self, workspaces: list[Workspace]) -> None:
        """Writes while it reads the next: DuckDB and compression leave Python free meanwhile."""
        changed = self._changed(workspaces)
        written: list[tuple[str, str, Future[list[str]]]] = []
        with ThreadPoolExecutor(max_workers=1) as writer:
            for start in range(0, len(changed), _AGENTS_AT_ONCE):
                for owner, one, inputs, sheet in self._sheets(
                    changed[start : start + _AGENTS_AT_ONCE]
                ):
                    context = agent.page(one, sheet, owner, self._about.timezone)
                    data = {f"{one.data}{end}": each for end, each in agent.data(sheet).items()}
                    page = (one.path, one.row.key, context, data)
                    done = writer.submit(self._write, "agent.html", *page)
                    written.append((one.path, inputs, done))
        for path, inputs, done in written:
            self._manifest.add(path, inputs, done.result())
        sheet = assemble.empty_sheet(self._about.as_of, self._zone)
        self._charts(agent.CHARTS, agent.charts(sheet, self._about.timezone))

    def _sheets(
        self, changed: list[tuple[Workspace, Agent, str]]
    ) -> list[tuple[Workspace, Agent, str, AgentSheet]]:
        agents = [one for _, one, _ in changed]
        sheets = assemble.agent_sheets(self._con, agents, self._about.timezone)
        return [(*each, sheet) for each, sheet in zip(changed, sheets, strict=True)]

    def _changed(self, workspaces: list[Workspace]) -> list[tuple[Workspace, Agent, str]]:
        """The agents whose pages are to be made anew, and what these are made of."""
        rows, code = fingerprints.of_agents(self._con), fingerprints.of_code()
        changed = []
        for owner in workspaces:
            for one in owner.agents:
                subject = assemble.page_subject(one)
                own = rows.get(one.row.key, "")
                inputs = fingerprints.together(
                    code, self._about.timezone, owner.name, owner.path, own, *_days(subject)
                )
                if not self._manifest.keeps(one.path, inputs):
                    changed.append((owner, one, inputs))
        return changed

    def _write(
        self,
        template: str,
        path: str,
        key: PageKey,
        context: dict[str, Any],
        data: Mapping[str, object],
    ) -> list[str]:
        made_of = self._made_of.get(key, NOTHING)
        self._pages.write(template, self._target / path, context, made_of)
        for name, document in data.items():
            packed.write(self._target / "data" / f"{name}.js", document)
        return [path, *(f"data/{name}.js" for name in data)]

    def _charts(self, name: str, charts: Mapping[str, Chart]) -> None:
        packed.write(self._target / "data" / f"{name}.js", packed.charts(charts))


def _days(subject: Subject) -> tuple[object, ...]:
    coverage = subject.coverage
    return coverage.first_day, coverage.today, sorted(coverage.incomplete_days)


def _copy_assets(target: Path) -> None:
    reports = folder("reports")
    shutil.copyfile(reports / "style.css", target / "style.css")
    for name in SCRIPTS:
        shutil.copyfile(reports / "script" / f"{name}.js", target / f"{name}.js")
    with as_file(files("plotly") / "package_data" / "plotly.min.js") as library:
        shutil.copyfile(library, target / "plotly.min.js")
