"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

F = TypeVar("F", bound=StrEnum)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where all data lies [ANALYTICS_DATA_DIR, else `data`]."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file [ANALYTICS_CONFIG, else `analytics.toml`]."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def format_of(formats: Sequence[F], named: str | None, output: Path | None) -> F:
    """Return the format of `--format`, else of the file's ending, else the first.

    UsageError if there is no such format.
    """
    from analytics.errors import UsageError

    given = named
    if given is None and output is not None and output != Path("-"):
        given = output.suffix[1:].lower()
    try:
        return formats[0] if given is None else formats[formats.index(given)]
    except ValueError:
        *others, last = formats
        there_are = f"{', '.join(others)} or {last}"
        raise UsageError(
            f"There is no format {named}: {there_are}."
            if named is not None
            else f"The ending of {output} names no format: say --format {there_are}."
        ) from None
