"""The commands of a batch: all of it, one stage of it, or a rebuild from what was landed."""

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
    from analytics.cli.streams import drop_output
    from analytics.published.summary import print_summary
    from analytics.warehouse.layout import Layout

    layout = Layout(settings.data_dir)
    try:
        print_summary(layout.published, layout.site)
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


def extract(
    data_dir: DataDir = None,
    config: Config = None,
    lists: Annotated[
        bool,
        typer.Option(
            "--lists",
            help="Only land new runs for the next batch: one request a workspace, every few"
            " minutes beside it.",
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Read new and changed records from the API into the warehouse.

    Example: analytics extract --lists
    """
    if lists:
        from analytics.batch.collect import collect as run
    else:
        from analytics.batch.nightly import extract as run

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        run(settings_of_batch(data_dir, config), progress)


def transform(
    data_dir: DataDir = None,
    config: Config = None,
    select: Annotated[
        list[str] | None,
        typer.Option(
            "--select",
            help="Build only this relation and what it reads; may be given several times.",
            metavar="NAME",
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Build everything anew, and compare it with what was brought up to date.",
        ),
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Bring the marts up to date with the loaded records.

    What changed since the last build is built; all is built anew where the code, the queries or the
    time zone changed. With --select, the other relations of the build file stay as they are, so it
    cannot be checked or published before all are built.

    Example: analytics transform --full
    """
    from analytics.batch import transforming
    from analytics.batch.nightly import batch_on_data

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        with batch_on_data(settings) as (layout, con):
            transforming.transform(con, settings, layout, progress, select or (), full=full)


def check(
    data_dir: DataDir = None,
    config: Config = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Check the built marts, then build and check your own.

    Each check must return no row; one of your own warns, unless its header says that it blocks.

    Example: analytics check
    """
    from analytics.batch import stages
    from analytics.batch.nightly import batch_on_data

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        with batch_on_data(settings) as (layout, con):
            stages.check(con, settings, layout, progress, force=force)
            stages.custom(con, settings, layout, progress)


def report(
    data_dir: DataDir = None,
    config: Config = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Build the pages from the built marts.

    Example: analytics report
    """
    from analytics.batch import stages
    from analytics.batch.last_batch import last_messages
    from analytics.batch.nightly import batch_on_data

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        with batch_on_data(settings) as (layout, _):
            stages.report(settings, layout, progress, last_messages(layout))


def publish(
    data_dir: DataDir = None,
    config: Config = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Publish the checked marts and the built pages.

    Example: analytics publish
    """
    from analytics.batch import stages
    from analytics.batch.nightly import batch_on_data

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        with batch_on_data(settings) as (layout, con):
            stages.publish_all(con, settings, layout, progress, force=force)


def rebuild(
    data_dir: DataDir = None,
    config: Config = None,
    force: Force = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Rebuild the warehouse from the landing files, and publish.

    Until everything is built and checked, no file is replaced.

    Example: analytics rebuild
    """
    from analytics.batch.rebuild import rebuild as run

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        settings = settings_of_batch(data_dir, config)
        run(settings, progress, force=force)
        _print_summary(settings, progress)
