"""`analytics fleet`: many workspaces on several machines, published as one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analytics.cli.options import DataDir, Json, Log, Quiet, Verbose, progress_of

fleet = typer.Typer(
    help="Run the batches of many workspaces on several machines.",
    no_args_is_help=True,
)

FleetConfig = Annotated[
    Path | None,
    typer.Option("--config", help="Settings of the fleet [`fleet.toml`]; those of batches beside."),
]
Shard = Annotated[str, typer.Argument(help="Name of a shard, as in the settings of the fleet.")]


@fleet.command()
def nightly(
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
        run(load_fleet(config), shard or [], address, progress)


@fleet.command()
def merge(
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
        without = run(load_fleet(config), progress)
        if without:
            raise AnalyticsError(
                f"Published without {'; and without '.join(without)}.\n"
                "See why: analytics fleet status"
            )


@fleet.command()
def status(config: FleetConfig = None, as_json: Json = False) -> None:
    """Show how the last batch of each shard ended, and what is published.

    Example: analytics fleet status --json
    """
    from analytics.cli.printed import print_json
    from analytics.fleet.settings import load_fleet
    from analytics.fleet.status import print_text, read_state

    state = read_state(load_fleet(config))
    if as_json:
        print_json(state)
    else:
        print_text(state)


@fleet.command()
def alerts(config: FleetConfig = None, as_json: Json = False) -> None:
    """List the findings of the last merge, with their state.

    They are read from the file of all shards, which is copied first from an object store.

    Example: analytics fleet alerts --json
    """
    from analytics.cli.alerts import print_findings
    from analytics.fleet.alerts import read_findings
    from analytics.fleet.settings import load_fleet

    print_findings(read_findings(load_fleet(config)), as_json=as_json)


@fleet.command("import")
def import_(shard: Shard, data_dir: DataDir = None, config: FleetConfig = None) -> None:
    """Copy a data directory into the storage of the fleet, as the first state of a shard.

    Example: analytics fleet import bakery --data-dir /srv/analytics
    """
    from analytics.fleet.settings import load_fleet
    from analytics.fleet.shard import import_data
    from analytics.fleet.store import Store
    from analytics.settings import data_dir_of

    settings = load_fleet(config)
    settings.require_shard(shard)
    import_data(Store(settings.storage), shard, data_dir_of(data_dir))


@fleet.command("export")
def export_(
    shard: Shard,
    folder: Annotated[Path, typer.Argument(help="A new folder: a data directory afterwards.")],
    config: FleetConfig = None,
) -> None:
    """Copy all of a shard from the storage into a new data directory of this machine.

    Example: analytics fleet export bakery bakery-data
    """
    from analytics.fleet.settings import load_fleet
    from analytics.fleet.shard import export_data
    from analytics.fleet.store import Store

    settings = load_fleet(config)
    settings.require_shard(shard)
    export_data(Store(settings.storage), shard, folder)
