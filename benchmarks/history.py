"""A warehouse with a long history: made-up runs of the past, landed and loaded like any others.

python -m benchmarks.history DATA_DIR RUNS
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from analytics.extract.landing import Landing
from analytics.levain import Answer
from analytics.warehouse.database import open_warehouse, transaction
from analytics.warehouse.landed import BATCH_ID, LAST_STEP
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from benchmarks.fleet import NOW

YEAR = timedelta(days=365)
PAGE = 1_000
LOAD = 500_000
"""Runs of a load, which is made in memory."""

_BATCH = f"{NOW - timedelta(hours=1):{BATCH_ID}}"


def grow(data_dir: Path, runs: int) -> None:
    """Add runs of the last year, spread over the known agents."""
    layout = Layout(data_dir)
    with open_warehouse(layout) as con:
        rows = con.execute("select workspace_id, agent_id from raw.agents order by 2").fetchall()
        workspace_id, agents = rows[0][0], [agent_id for _, agent_id in rows]
        rng = random.Random(runs)  # noqa: S311 - a made-up past is no secret
        begin = NOW - YEAR - timedelta(days=90)
        folders = []
        for number, first in enumerate(range(0, runs, LOAD)):
            landing = Landing(
                layout.landing,
                workspace_id,
                f"{_BATCH}-{number:03}-past",
                keep_errors=True,
            )
            last = min(first + LOAD, runs)
            for start in range(first, last, PAGE):
                records = [
                    _record(rng, agents, begin + YEAR * (each / runs))
                    for each in range(start, min(start + PAGE, last))
                ]
                landing.add("runs", Answer("/past", {}, 200, NOW, 0, records), records)
            folders.append(landing.commit())
        closing = Landing(
            layout.landing, workspace_id, f"{_BATCH}-999-{LAST_STEP}", keep_errors=True
        )
        closing.add("workspaces", Answer("/auth/me", {}, 200, NOW, 0, []), [])
        folders.append(closing.commit())
        for folder in folders:
            with transaction(con):
                load_folder(con, folder)
        con.execute("delete from ledger.pending_details where created_at < ?", [begin + YEAR])


def _record(rng: random.Random, agents: list[str], created: datetime) -> msgspec.Raw:
    run = {
        "id": str(uuid.UUID(int=rng.getrandbits(128))),
        "status": "failed" if rng.random() < 0.08 else "succeeded",
        "cost_usd": round(rng.lognormvariate(-3, 1), 8),
        "tokens_in": rng.randrange(50_000),
        "tokens_out": rng.randrange(2_000),
        "started_at": (created + timedelta(seconds=3)).isoformat(),
        "finished_at": (created + timedelta(seconds=rng.randrange(10, 900))).isoformat(),
        "error": None,
        "agent_id": rng.choice(agents),
        "agent_version_id": str(uuid.UUID(int=rng.getrandbits(128))),
        "agent_version": rng.randrange(1, 5),
        "parent_run_id": None,
        "session_id": str(uuid.UUID(int=rng.getrandbits(128))),
        "created_at": created.isoformat(),
        "kind": "agent",
        "artifact_count": 0,
        "artifact_count_truncated": False,
    }
    return msgspec.Raw(json.dumps(run).encode())


if __name__ == "__main__":
    grow(Path(sys.argv[1]), int(sys.argv[2]))
