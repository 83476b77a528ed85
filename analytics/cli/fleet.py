"""`analytics fleet`: many workspaces on several machines, published as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import Json, Log, Quiet, Verbose, progress_of

fleet = typer.Typer(
    help="Run the batches of many workspaces on several machines.",
    no_args_is_help=True,
)

FleetConfig = Annotated[
    Path | None,
    typer.Option("--config", help="Settings of the fleet [`fleet.toml`]; those of batches beside."),
]
FleetDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where all data lie [`folder` in `fleet.toml`].")
]


@fleet.command()
def nightly(
    data_dir: FleetDir = None,
    config: FleetConfig = None,
    address: Annotated[
        str | None,
        typer.Option(
            help="Of a cluster of Ray, such as ray://host:10001 [Ray is started on this machine]."
        ),
    ] = None,
    shard: Annotated[
        list[str] | None,
        typer.Option(help="Only this shard; may be given several times.", metavar="NAME"),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Run the batch of each shard as a task, several at a time.

    A shard that fails costs no other its figures; the exit code is 1 then.

    Example: analytics fleet nightly --config fleet.toml --address ray://head:10001
    """
    from analytics.fleet.nightly import nightly as run
    from analytics.fleet.settings import load_fleet

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        run(load_fleet(config, data_dir), shard or [], address, progress)


@fleet.command()
def merge(
    data_dir: FleetDir = None,
    config: FleetConfig = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: Log = None,
) -> None:
    """Publish the figures of all shards: Delta tables, the site, and a DuckDB file.

    Example: analytics fleet merge --config fleet.toml
    """
    from analytics.errors import AnalyticsError
    from analytics.fleet.publication import merge as run
    from analytics.fleet.settings import load_fleet

    with progress_of(log_format, quiet=quiet, verbose=verbose) as progress:
        without = run(load_fleet(config, data_dir), progress)
        if without:
            raise AnalyticsError(
                f"Published without {'; and without '.join(without)}.\n"
                "See why: analytics fleet status"
            )


@fleet.command()
def status(as_json: Json = False, data_dir: FleetDir = None, config: FleetConfig = None) -> None:
    """Show how the last batch of each shard ended, and what is published.

    Example: analytics fleet status --json
    """
    from analytics.cli.printed import print_json
    from analytics.fleet.settings import load_fleet
    from analytics.fleet.status import print_text, read_state

    state = read_state(load_fleet(config, data_dir))
    if as_json:
        print_json(state)
    else:
        print_text(state)
