"""`analytics fleet`: many workspaces on several machines, published as one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analytics.cli.options import Here, Json, LongHere, command

if TYPE_CHECKING:
    from analytics.fleet.settings import Fleet

fleet = typer.Typer(
    help="Run the batches of many workspaces on several machines.",
    no_args_is_help=True,
)


@dataclass
class FleetHere(Here):
    """The options of every command of a fleet, and what they lead to."""

    data_dir: Annotated[
        Path | None,
        typer.Option("--data-dir", help="Where all data lie [`folder` in `fleet.toml`]."),
    ] = None
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", help="Settings of the fleet [`fleet.toml`]; those of batches beside."
        ),
    ] = None

    @property
    def fleet(self) -> Fleet:
        """The settings of the fleet; UsageError names what is wrong in them."""
        from analytics.fleet.settings import load_fleet

        return load_fleet(self.config, self.data_dir)


@dataclass
class LongFleetHere(FleetHere, LongHere):
    """The options of one that takes long."""


@command(fleet)
def nightly(
    here: LongFleetHere,
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
) -> None:
    """Run the batch of each shard as a task, several at a time.

    A shard that fails costs no other its figures; the exit code is 1 then.

    Example: analytics fleet nightly --config fleet.toml --address ray://head:10001
    """
    from analytics.fleet.tasks import nightly as run

    with here.progress() as progress:
        run(here.fleet, shard or [], address, progress)


@command(fleet)
def merge(here: LongFleetHere) -> None:
    """Publish the figures of all shards: Delta tables, the site, and a DuckDB file.

    Example: analytics fleet merge --config fleet.toml
    """
    from analytics.errors import AnalyticsError
    from analytics.fleet.publication import merge as run

    with here.progress() as progress:
        without = run(here.fleet, progress)
        if without:
            raise AnalyticsError(
                f"Published without {'; and without '.join(without)}.\n"
                "See why: analytics fleet status"
            )


@command(fleet)
def status(here: FleetHere, as_json: Json = False) -> None:
    """Show how the last batch of each shard ended, and what is published.

    Example: analytics fleet status --json
    """
    from analytics.cli.printed import print_json
    from analytics.fleet.status import print_text, read_state

    state = read_state(here.fleet)
    if as_json:
        print_json(state)
    else:
        print_text(state)
