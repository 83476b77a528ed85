"""Completion in the shell: names of questions, tables, months and agents.

They come from lists of files, without settings or a database; agents alone have no file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

import typer

from analytics.files import folder


def questions_or_tables(context: typer.Context, incomplete: str) -> list[str]:
    """Return the questions that begin so, after --tables the tables."""
    if context.params.get("list_tables"):
        text = (folder("queries") / "tables.toml").read_text(encoding="utf-8")
        names = [name.removeprefix("marts.") for group in tomllib.loads(text).values()
                 for name in group]  # fmt: skip
        names += _stems(_project(context) / "queries" / "marts")
    else:
        names = [*_stems(folder("queries") / "adhoc"), *_stems(_project(context) / "queries/adhoc")]
    return _beginning(names, incomplete)


def months(context: typer.Context, incomplete: str) -> list[str]:
    """Return the months of the published pages that begin so."""
    return _beginning((each.name for each in _data(context).glob("site/data/????-??")), incomplete)


def agents(context: typer.Context, incomplete: str) -> list[str]:
    """Return the short names of published agents that begin so."""
    import duckdb

    from analytics.errors import AnalyticsError
    from analytics.query.published import open_published

    try:
        with open_published(_data(context) / "analytics.duckdb") as con:
            rows = con.execute("select agent_slug from marts.dim_agents where agent_slug <> ''")
            return _beginning((slug for (slug,) in rows.fetchall()), incomplete)
    except (AnalyticsError, duckdb.Error):
        return []


def _beginning(names: Iterator[str] | list[str], incomplete: str) -> list[str]:
    return sorted({each for each in names if each.startswith(incomplete)})


def _stems(place: Path) -> list[str]:
    return [each.stem for each in place.glob("*.sql")]


def _data(context: typer.Context) -> Path:
    return Path(context.params.get("data_dir") or os.environ.get("ANALYTICS_DATA_DIR") or "data")


def _project(context: typer.Context) -> Path:
    config = context.params.get("config") or os.environ.get("ANALYTICS_CONFIG")
    return Path(config or "analytics.toml").parent
