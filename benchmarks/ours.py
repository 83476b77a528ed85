"""One step of a batch, as a whole process.

    python -m benchmarks.ours lists|details DATA_DIR [RUNS]

`lists` reads the run lists and loads them; `details` reads the model costs and log events of RUNS
runs, and prints its seconds and those of processor.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from unittest import mock

import uvloop

from analytics.batch.progress import Progress
from analytics.extract import details
from analytics.extract.extraction import Extraction
from analytics.extract.runs import read_lists
from analytics.levain import AsyncLevain
from analytics.machine_clock import machine_clock
from analytics.settings import load_settings
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.load import load_folder
from analytics.warehouse.pending_details import collect_pending_details
from analytics.warehouse.store import Store
from benchmarks.fleet import NOW
from benchmarks.measure import Clock


def _collect_few(runs: int, store: Store) -> int:
    """Collect the details of so many ended runs to read, whatever else is pending."""
    return min(collect_pending_details(store), 2 * runs)


async def main(step: str, data_dir: Path, runs: int = 0) -> None:
    """Run one step of a batch."""
    settings = load_settings(data_dir)
    layout = Layout(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    url = settings.workspaces[0].api
    with open_warehouse(layout) as con:
        async with AsyncLevain(os.environ["LEVAIN_API_KEY"], url) as client:
            answer, me = await client.auth.read()
            workspace_id = me.workspace_id
            batch = Extraction(
                client=client,
                store=Store(con, workspace_id),
                load=partial(load_folder, con),
                options=settings.extract,
                keep_errors=True,
                landing_root=layout.landing,
                workspace_id=workspace_id,
                began_at=answer.fetched_at,
                progress=Progress(quiet=True).of(""),
            )
            con.begin()
            if step == "lists":
                await _read_lists(batch)
            else:
                clock = Clock()
                with mock.patch.object(
                    details, "collect_pending_details", partial(_collect_few, runs)
                ):
                    await details.read_details(batch)
                await batch.loaded()
                clock.print()
            await batch.loaded()
            con.commit()


async def _read_lists(batch: Extraction) -> None:
    async with batch.step("agents") as landing:
        async for page in batch.client.agents.pages():
            landing.add("agents", page.answer, page.records)
    await read_lists(batch)


with machine_clock(lambda: NOW):
    uvloop.run(main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])))
