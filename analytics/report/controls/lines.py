"""The lines of a workspace by name: agents, runs without one, and the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.format import names
from analytics.report.writing.tables import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analytics.report.figures.facts import Workspace

_NAMES = {"(none)": "No agent", "(platform)": "Platform"}


class Lines:
    """Names lines, with the way to their pages from a page in the workspace's folder."""

    def __init__(self, workspace: Workspace, agent_names: Mapping[str, str | None]) -> None:
        self._names = agent_names
        self._pages = {
            each.row.key[1]: Cell(each.name, each.name.casefold(), href=f"../../{each.path}")
            for each in workspace.agents
        }

    def cell(self, agent_id: str) -> Cell | str:
        """The name of a line, linked where it has a page."""
        return self._pages.get(agent_id) or self.name(agent_id)

    def name(self, agent_id: str) -> str:
        """The name of a line."""
        page = self._pages.get(agent_id)
        if page:
            return page.text
        return names.display(_NAMES.get(agent_id), self._names.get(agent_id), agent_id)
