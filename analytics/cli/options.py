"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where all data lies [ANALYTICS_DATA_DIR, else `data`]."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file [ANALYTICS_CONFIG, else `analytics.toml`]."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
