from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from analytics.extract.landing import Landing
from analytics.levain import Answer
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.landed import BATCH_ID
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import Loaded, load_folder
from tests.transform.given import InMemory

READ_AT = datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 19)


def run_record(run_id: str = "r1", **fields: Any) -> dict[str, Any]:
    """Return a run as the API sends it; a `bytes` value is JSON text, digit for digit."""
    return {
        "id": run_id,
        "status": "succeeded",
        "cost_usd": 0.25,
        "tokens_in": 1000,
        "tokens_out": 100,
        "agent_id": "a1",
        "created_at": "2026-11-19T10:00:00+00:00",
        "started_at": "2026-11-19T10:00:05+00:00",
        "finished_at": "2026-11-19T10:01:00+00:00",
        "error": None,
    } | fields


def raw(record: Any) -> msgspec.Raw:
    if isinstance(record, dict):
        record = {
            name: msgspec.Raw(value if isinstance(value, bytes) else json.dumps(value).encode())
            for name, value in record.items()
        }
    return msgspec.Raw(msgspec.json.encode(record))


Load = Callable[..., Loaded]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return InMemory(tmp_path)


@pytest.fixture
def con(layout: Layout) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(layout) as con:
        yield con


@pytest.fixture
def load(layout: Layout, con: duckdb.DuckDBPyConnection) -> Load:
    """Return a function that lands records of a source as one response, and loads them."""
    loads = 0

    def land_and_load(
        source: str,
        records: list[Any],
        *,
        run_id: str | None = None,
        agent_id: str | None = None,
        window: tuple[date, date] | None = None,
        read_at: datetime = READ_AT,
        status: int = 200,
        began_at: datetime | None = None,
        workspace_id: str = "w1",
        step: str = "x",
    ) -> Loaded:
        nonlocal loads
        loads += 1
        load_id = f"{began_at or read_at:{BATCH_ID}}-{loads:03}-{step}"
        landing = Landing(layout.landing, workspace_id, load_id, keep_errors=True)
        answer = Answer("/x", {}, status, read_at, 2, [])
        landing.add(
            source,
            answer,
            [raw(record) for record in records],
            run_id=run_id,
            agent_id=agent_id,
            window=window,
        )
        return load_folder(con, landing.commit())

    return land_and_load


def current(con: duckdb.DuckDBPyConnection, source: str, columns: str) -> list[tuple[Any, ...]]:
    """Return the current rows of a source."""
    return con.execute(
        f"select {columns} from raw.{source} anti join raw.superseded using (version_id)"
        " order by all"
    ).fetchall()
