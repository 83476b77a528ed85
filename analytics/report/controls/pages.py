"""The pages on trust of a workspace, by the names of their files and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report.controls import quality, reads, reconciliation
from analytics.report.controls.lines import Lines
from analytics.report.controls.quality_reads import QualityReads

if TYPE_CHECKING:
    import duckdb

    from analytics.report.figures.facts import Workspace


def of_workspace(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The contexts of the templates `reconciliation.html` and `quality.html` of a workspace."""
    workspace_id, checks = workspace.row.workspace_id, reads.checks(con)
    lines = Lines(workspace, reads.agent_names(con, workspace_id))
    return {
        "reconciliation": reconciliation.page(
            workspace, reads.Reads(con, workspace_id), lines, checks
        ),
        "quality": quality.page(workspace, QualityReads(con, workspace_id), lines, checks),
    }
