"""The requests of the details by a bare client, which throws their answers away.

    python -m benchmarks.bare sockets|httpx DATA_DIR RUNS

`sockets` writes each request as text and reads its body by its length, so that the server is what
limits it; `httpx` is an `httpx.AsyncClient`. Both have as many requests under way as the pipeline.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import uvloop

from analytics.settings import Extract
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.pending_details import collect_pending_details, collected_details
from analytics.warehouse.store import Store
from benchmarks.measure import Clock

API = os.environ["LEVAIN_API"]
HEADERS = {"Authorization": f"Bearer {os.environ['LEVAIN_API_KEY']}", "Accept": "application/json"}
CONCURRENCY = Extract().concurrency
PATHS = {
    "run_costs": "/api/v1/analytics/runs/{}/costs",
    "run_log_events": "/api/v1/runs/{}/log/events",
}


async def main(client: str, data_dir: Path, runs: int) -> None:
    """Read the details of the runs that the pipeline reads next; print the seconds taken."""
    with open_warehouse(Layout(data_dir)) as con:
        ((workspace_id,),) = con.execute("select distinct workspace_id from raw.runs").fetchall()
        store = Store(con, workspace_id)
        collect_pending_details(store)
        due = collected_details(store, range(2 * runs))
    paths = [PATHS[source].format(run_id) for run_id, source in due]
    clock = Clock()
    await {"sockets": _by_sockets, "httpx": _by_httpx}[client](iter(paths))
    clock.print()


async def _by_sockets(paths: Iterable[str]) -> None:
    await asyncio.gather(*(_by_socket(paths) for _ in range(CONCURRENCY)))


async def _by_socket(paths: Iterable[str]) -> None:
    url = urlsplit(API)
    headers = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    for path in paths:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\n{headers}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = head.partition(b"\r\ncontent-length:")
        await reader.readexactly(int(rest.partition(b"\r")[0]))
    writer.close()


async def _by_httpx(paths: Iterable[str]) -> None:
    limits = httpx.Limits(max_connections=CONCURRENCY)
    async with httpx.AsyncClient(base_url=API, headers=HEADERS, limits=limits) as client:

        async def read() -> None:
            for path in paths:
                await client.get(path)

        await asyncio.gather(*(read() for _ in range(CONCURRENCY)))


uvloop.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
