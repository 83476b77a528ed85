"""Days of a workspace whose meters were read: rows for the tests of days, controls and bills."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.transform.given import WORKSPACE, Warehouse

LAST_BATCH = datetime(2026, 11, 28, 5, tzinfo=UTC)  # beyond the API's lag of every earlier day
METERS = (
    "usage_hours", "billing_days", "agent_billing_days", "agent_rollups", "platform_rollups",
    "run_counts",
)  # fmt: skip


def read_workspace(warehouse: Warehouse, workspace_id: str = WORKSPACE) -> None:
    """The meters of a workspace, and the counts of its agent a-1, were read from 12 November on."""
    warehouse.con.execute("update ledger.workspaces set last_batch_at = ?", [LAST_BATCH])
    sources = ("usage_hours", "run_counts", "agent_billing_days")
    for request, source in enumerate(sources):
        warehouse.insert(
            "ledger.requests", workspace_id=workspace_id, load_id="load-1", request=request,
            source=source, agent_id="a-1", status=200, fetched_at=LAST_BATCH,
            window_start="2026-11-12", window_end="2026-11-29",
        )  # fmt: skip


def metered(warehouse: Warehouse, **of: Any) -> None:
    """An hour's usage that the day's bills, by agent and by provider, agree with."""
    row = {"agent_id": "a-1", "cost_usd": 2, "tokens_in": 100, "tokens_out": 10, "billed_usd": None}
    row |= {"provider": "anthropic", "model": "claude-sonnet-5", "request_count": 1, **of}
    billed = row.pop("billed_usd")
    bill = {
        "cost_usd": row["cost_usd"],
        "billed_usd": row["cost_usd"] if billed is None else billed,
    }
    bill |= {name: row[name] for name in ("date", "workspace_id") if name in row}
    warehouse.given("usage_hours", **row)
    warehouse.given("agent_billing_days", agent_id=row["agent_id"], **bill)
    names = ("provider", "tokens_in", "tokens_out", "request_count")
    warehouse.given("billing_days", **bill, **{name: row[name] for name in names})


def asked(
    warehouse: Warehouse, first: str, end: str, workspace_id: str = WORKSPACE, **refused: str
) -> None:
    """All meters of a workspace were read for days; `refused` ones were refused from a day on."""
    for source in METERS:
        until = refused.get(source, end)
        for status, start, stop in ((200, first, until), (403, until, end)):
            if start < stop:
                (request,) = warehouse.row("select count(*) from ledger.requests")
                warehouse.insert(
                    "ledger.requests", workspace_id=workspace_id, load_id="load-1",
                    request=request, source=source, status=status,
                    agent_id="a-1" if source == "run_counts" else None,
                    fetched_at="2026-12-05 05:00Z", window_start=start, window_end=stop,
                )  # fmt: skip
