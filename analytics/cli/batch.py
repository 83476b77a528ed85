"""The commands that write data: a batch, a collection of lists, and a rebuild."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import (
    Config,
    DataDir,
    Log,
    Quiet,
    Verbose,
    progress_of,
    settings_of_batch,
)

if TYPE_CHECKING:
    from analytics.batch.progress import Progress
    from analytics.settings import Settings

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Go on although the API's own figures differ by more than [controls] allows.",
    ),
]


def _print_summary(settings: Settings, progress: Progress) -> None:
    """Print the summary of what was published; where that cannot be written, only warn."""
    from analytics.cli.printed import drop_output, pages_address
    from analytics.summary.words import read_file, terminal_lines
    from analytics.warehouse.layout import Layout

    site = Layout(settings.data_dir).site
    if not (site / "summary.json").exists():
        return
    try:
        summary = read_file(site / "summary.json")
        print(*terminal_lines(summary, pages_address(settings, site)), sep="\n")
        print(f"Reports:   {(site / 'index.html').absolute().as_uri()}")
        sys.stdout.flush()
    except BrokenPipeError:  # who reads has gone
        drop_output()
    except OSError as error:
        progress.warn(f"published, but the summary cannot be printed: {error.strerror}")
        drop_output()


def nightly(
    data_dir: DataDir = None,
    config: Config = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Run the whole flow, from reading to publishing, as cron does.

    Example: LEVAIN_API_KEY=levain_… analytics nightly --data-dir /srv/analytics
    """
    from analytics.batch.extract import require_all
    from analytics.batch.nightly import nightly as run

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        outcomes = run(settings, progress, force=force)
        _print_summary(settings, progress)
        require_all(outcomes)


def collect(
    data_dir: DataDir = None,
    config: Config = None,
    quiet: Quiet = False,
    log_format: Log = None,
) -> None:
    """Land new runs for the next batch, by run lists alone.

    It is one request a workspace, to be made every few minutes where an agent starts more than 200
    runs between two batches: the API lists no more of them.

    Example: analytics collect --quiet
    """
    from analytics.batch.collect import collect as run

    with progress_of(log_format, quiet=quiet) as progress:
        run(settings_of_batch(data_dir, config), progress)


def rebuild(
    data_dir: DataDir = None,
    config: Config = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Publish nothing: compare with what batches brought up to date; exit 1 names the"
            " first row that differs.",
        ),
    ] = False,
    force: Force = False,
    quiet: Quiet = False,
    log_format: Log = None,
) -> None:
    """Make all anew from landing files and books, and publish.

    Until everything is built and checked, no file is replaced.

    Example: analytics rebuild --verify
    """
    from analytics.batch import rebuild as run

    with progress_of(log_format, quiet=quiet) as progress:
        settings = settings_of_batch(data_dir, config)
        if verify:
            run.verify(settings, progress)
            return
        run.rebuild(settings, progress, force=force)
        _print_summary(settings, progress)
