"""The peer, as a whole process: dlt reads the same lists with its `rest_api` source.

Its fair set-up: the parquet loader, decimals as decimals, lists read in parallel. Runs in
build/bench-peer:

    python benchmarks/peer.py DATA_DIR
"""

import os
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

MONEY = {"data_type": "decimal", "precision": 38, "scale": 20}
AUTH = {"type": "bearer", "token": os.environ["LEVAIN_API_KEY"]}

source = rest_api_source(
    {
        "client": {
            "base_url": os.environ["LEVAIN_API"],
            "auth": AUTH,
            "paginator": "single_page",
        },
        "resources": [
            {
                "name": "agents",
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {"path": "api/v1/agents/"},
            },
            {
                "name": "runs",
                "primary_key": "id",
                "write_disposition": "merge",
                "parallelized": True,
                "columns": {"cost_usd": MONEY},
                "endpoint": {
                    "path": "api/v1/runs/",
                    "params": {"limit": 200, "agent_id": "{resources.agents.id}"},
                },
            },
        ],
    }
)

folder = Path(sys.argv[1])
pipeline = dlt.pipeline(
    pipeline_name="runs",
    pipelines_dir=str(folder / "pipelines"),
    destination=dlt.destinations.duckdb(str(folder / "peer.duckdb")),
    dataset_name="lists",
)
pipeline.run(source, loader_file_format="parquet")
