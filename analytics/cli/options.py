"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from analytics.batch.progress import Progress
    from analytics.settings import Settings
    from analytics.warehouse.layout import Layout

F = TypeVar("F", bound=StrEnum)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where all data lies [ANALYTICS_DATA_DIR, else `data`]."),
]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file [ANALYTICS_CONFIG, else `analytics.toml`]."),
]
NoDataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="As of each command; this one uses none.")
]
NoConfig = Annotated[
    Path | None, typer.Option("--config", help="As of each command; this one uses none.")
]
Month = Annotated[str, typer.Argument(help="The month, as 2026-10.", metavar="YYYY-MM")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print results and errors only, no progress.")
]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Print each request, load, relation and check as well."),
]
Log = Annotated[
    str | None,
    typer.Option(
        "--log-format",
        metavar="FORMAT",
        help="Of progress and errors: text or json [text].",
    ),
]


def layout_of(data_dir: Path | None, config: Path | None) -> Layout:
    """Return the places of the data directory that the options name, or the settings."""
    from analytics.settings import load_settings
    from analytics.warehouse.layout import Layout

    return Layout(load_settings(data_dir, config).data_dir)


def settings_of_batch(data_dir: Path | None, config: Path | None) -> Settings:
    """Load the settings, and limit the memory of this process as they say."""
    from analytics.settings import load_settings
    from analytics.warehouse.machine import limit_process

    settings = load_settings(data_dir, config)
    limit_process(settings.batch.memory_limit)
    return settings


@contextmanager
def progress_of(
    log_format: str | None, *, quiet: bool = False, verbose: bool = False
) -> Iterator[Progress]:
    """Yield the progress of a long command.

    With `json`, its error is an event as well. UsageError for an unknown format.
    """
    from analytics.batch.progress import LogFormat, Progress
    from analytics.cli.failures import failure_of

    chosen = format_of(list(LogFormat), log_format, None)
    progress = Progress(log_format=chosen, quiet=quiet, verbose=verbose)
    try:
        with progress.logged_requests():
            yield progress
    except BrokenPipeError:  # who reads has gone, and needs no message
        raise
    except (Exception, KeyboardInterrupt) as error:
        if chosen is not LogFormat.json:
            raise
        failure = failure_of(error)
        progress.fail(failure.text, kind=failure.kind, exit_code=failure.exit_code)
        raise typer.Exit(failure.exit_code) from None


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
