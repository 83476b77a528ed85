"""Options that commands share: where data and settings lie, and how progress is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from analytics.cli.completion import months

if TYPE_CHECKING:
    from analytics.batch.progress import Progress
    from analytics.settings import Settings
    from analytics.warehouse.layout import Layout

F = TypeVar("F", bound=StrEnum)
Run = TypeVar("Run", bound=Callable[..., object])

Month = Annotated[
    str,
    typer.Argument(help="The month, as 2026-10.", metavar="YYYY-MM", autocompletion=months),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@dataclass
class Here:
    """The options of every command, and what they lead to."""

    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Where all data lies [ANALYTICS_DATA_DIR, else `data`]."),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Settings file [ANALYTICS_CONFIG, else `analytics.toml`]."),
    ] = None

    @cached_property
    def settings(self) -> Settings:
        """The settings; UsageError names what is wrong in them."""
        from analytics.settings import load_settings

        return load_settings(self.data_dir, self.config)

    @cached_property
    def layout(self) -> Layout:
        """The places of the data directory."""
        from analytics.warehouse.layout import Layout

        return Layout(self.settings.data_dir)


@dataclass
class DataHere(Here):
    """The options of a command that reads no settings."""

    config: Annotated[
        Path | None, typer.Option("--config", help="As of each command; this one uses none.")
    ] = None


@dataclass
class Nowhere(DataHere):
    """The options of a command that reads neither settings nor data."""

    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="As of each command; this one uses none.")
    ] = None


@dataclass
class LongHere(Here):
    """The options of a command that takes long."""

    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print results and errors only, no progress.")
    ] = False
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Print each request, load, relation and check as well."
        ),
    ] = False
    log_format: Annotated[
        str | None,
        typer.Option(
            "--log-format", metavar="FORMAT", help="Of progress and errors: text or json [text]."
        ),
    ] = None

    @cached_property
    def settings(self) -> Settings:
        """The settings; the memory of this process is limited as they say."""
        from analytics.warehouse.memory import limit_process

        settings = super().settings
        limit_process(settings.batch.memory_limit)
        return settings

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """Yield the progress; with `json`, an error is an event as well.

        UsageError for an unknown format.
        """
        from analytics.batch.failures import failure_of
        from analytics.batch.progress import LogFormat, Progress

        chosen = format_of(list(LogFormat), self.log_format, None)
        progress = Progress(log_format=chosen, quiet=self.quiet, verbose=self.verbose)
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


def command(group: typer.Typer, name: str | None = None, **options: Any) -> Callable[[Run], Run]:
    """Return what makes a function a command: its first argument holds the shared options."""

    def register(run: Run) -> Run:
        kinds = get_type_hints(run, include_extras=True)
        first, *own = signature(run).parameters.values()
        here = kinds[first.name]
        shared = get_type_hints(here, include_extras=True)

        def call(**given: Any) -> object:
            return run(here(**{name: given.pop(name) for name in shared}), **given)

        parameters = [each.replace(annotation=kinds[each.name]) for each in own]
        parameters += [
            Parameter(
                each.name,
                Parameter.KEYWORD_ONLY,
                default=each.default,
                annotation=shared[each.name],
            )
            for each in fields(here)
        ]
        call.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {each.name: each.annotation for each in parameters}
        call.__name__, call.__doc__ = run.__name__, run.__doc__
        group.command(name, **options)(call)
        return run

    return register


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
