"""The findings of a published file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from analytics.custom.findings import Finding

if TYPE_CHECKING:
    import duckdb

_ALERTS = """
    select name, row_count = (
            select count(*) from audit.alert_findings where alert_name = name
        ) as is_whole
    from audit.custom_files
    where kind = 'alert' and state = 'asked'
    order by name
"""
_FINDINGS = """
    select alert_name, title, severity, finding_number, finding_count, finding_id, finding
    from audit.alert_findings
    order by alert_name, finding_number
"""
_DATA_TO = "select max(last_batch_at) from marts.dim_workspaces"


@dataclass(frozen=True)
class Found:
    """Findings by identity, with the start of the batch that read their figures.

    `alerts` has those that were asked, true if all of their findings are here; others prove of no
    finding that it is gone.
    """

    findings: Mapping[str, Finding] = field(default_factory=dict)
    alerts: Mapping[str, bool] = field(default_factory=dict)
    data_to: datetime | None = None

    def of(self, alert: str) -> list[Finding]:
        """The findings of an alert."""
        return [each for each in self.findings.values() if each.alert == alert]


def read_found(con: duckdb.DuckDBPyConnection) -> Found:
    """Read the findings of a published file."""
    ((data_to,),) = con.execute(_DATA_TO).fetchall()
    alerts = dict(con.execute(_ALERTS).fetchall())
    findings = [Finding(*row) for row in con.execute(_FINDINGS).fetchall()]
    return Found({each.id: each for each in findings}, alerts, data_to)
