"""Completion in the shell: names of questions, tables, months and agents.

They come from lists of files, without settings or a database; agents alone have no file. Who
presses a key ran nothing yet: a folder of others must neither hold the shell nor put on its line
what it would run, so that names of other characters than words have are left out.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import typer

from analytics.files import folder

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SECONDS, _MOST = 2.0, 1_000  # for the names of agents


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
    from analytics.bounded.limits import Limits
    from analytics.bounded.runner import Runner
    from analytics.errors import AnalyticsError
    from analytics.query.sql import first_rows
    from analytics.warehouse.layout import Layout

    layout, project = Layout(_data(context)), _project(context)
    sql = "select agent_slug from marts.dim_agents where agent_slug <> ''"
    try:
        with Runner(Limits(_SECONDS), layout.root) as runner:
            found = first_rows(layout, project, runner, sql, _MOST)
    except AnalyticsError:
        return []
    return _beginning((slug for (slug,) in found.rows), incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({each for each in names if each.startswith(incomplete) and _WORD.fullmatch(each)})


def _stems(place: Path) -> list[str]:
    return [each.stem for each in place.glob("*.sql")]


def _data(context: typer.Context) -> Path:
    return Path(context.params.get("data_dir") or os.environ.get("ANALYTICS_DATA_DIR") or "data")


def _project(context: typer.Context) -> Path:
    config = context.params.get("config") or os.environ.get("ANALYTICS_CONFIG")
    return Path(config or "analytics.toml").parent
