"""The pages on trust of a workspace, by the names of their files and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.report.controls import quality, reads, reconciliation
from analytics.report.controls.quality_reads import QualityReads

if TYPE_CHECKING:
    import duckdb

    from analytics.report.figures.facts import Workspace


def of_workspace(con: duckdb.DuckDBPyConnection, workspace: Workspace) -> dict[str, dict[str, Any]]:
    """What the templates `reconciliation.html` and `quality.html` print of a workspace."""
    workspace_id, findings = workspace.row.workspace_id, reads.findings(con)
    return {
        "reconciliation": reconciliation.page(workspace, reads.Reads(con, workspace_id), findings),
        "quality": quality.page(workspace, QualityReads(con, workspace_id), findings),
    }
