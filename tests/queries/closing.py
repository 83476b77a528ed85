"""Months that are closed in a test: frozen as a close does it, without its command."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from analytics.finance.books.frozen import load_frozen, write_frozen
from tests.transform.given import Warehouse


def close(warehouse: Warehouse, *months: date, folder: Path | None = None) -> None:
    """Close months in their order, each with the figures as they are built by then."""
    with TemporaryDirectory() as root:
        written: list[Path] = []
        for month in months:
            con = warehouse.con
            written.append(Path(folder or root) / f"{month:%Y-%m}")
            written[-1].mkdir()
            write_frozen(con, month, 1, written[-1])
            load_frozen(con, written)
            warehouse.insert(
                "finance.closings", month=month, revision=1, state="closed",
                closed_at=datetime(2026, 12, 5, tzinfo=UTC), is_early=False,
            )  # fmt: skip
            con.execute(
                "insert into finance.closing_loads"
                " select ?, 1, workspace_id, max(load_id) from ledger.loads group by workspace_id",
                [month],
            )
            warehouse.build_all()
