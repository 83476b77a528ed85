"""`analytics alerts`: what the alerts of the project found, and a test of their addresses."""

from __future__ import annotations

from typing import Any

import typer

from analytics.cli.options import Config, DataDir, Json, layout_of

alerts = typer.Typer(
    help="Show what alerts found, and test where that is sent.",
    no_args_is_help=True,
)


@alerts.command("list")
def list_findings(as_json: Json = False, data_dir: DataDir = None, config: Config = None) -> None:
    """List the findings of the published figures, with their state.

    `waiting` is not sent yet; `uncertain` may not have arrived, and is not sent again.

    Example: analytics alerts list --json
    """
    from analytics.alerts.found import read_found, states
    from analytics.alerts.ledger import Ledger
    from analytics.published.sandbox import open_published

    layout = layout_of(data_dir, config)
    with open_published(layout.published) as con:
        found = states(Ledger(layout.alerts), read_found(con))
    print_findings(found, as_json=as_json)


def print_findings(found: list[dict[str, Any]], *, as_json: bool) -> None:
    """Print the findings with their states."""
    from analytics.cli import printed

    if as_json:
        printed.print_json(found)
        return
    for each in found:
        print(f"{each['state']:<9} {each['alert_name']}: {each['finding']}")
    if not found:
        print("No alert found anything.")


@alerts.command("test")
def send_test(config: Config = None) -> None:
    """Send a test message to each address.

    Exits with 1 if one did not take it.

    Example: analytics alerts test
    """
    from analytics.alerts.ledger import State
    from analytics.alerts.messages import TEST
    from analytics.alerts.sender import Sender, addresses
    from analytics.errors import AnalyticsError, UsageError
    from analytics.settings import CONFIG_FILE, alert_urls, load_settings, network_variables

    receivers = addresses(alert_urls(load_settings(None, config)))
    if not receivers:
        raise UsageError(
            "There is no address to send to.\nPut addresses into a variable, and its name into"
            f" urls_env of [alerts] in {CONFIG_FILE}."
        )
    failed = 0
    with Sender(network_variables()) as sender:
        for each in receivers:
            outcome = sender.send(each, TEST)
            is_sent = outcome.state is State.sent
            failed += not is_sent
            print(f"{each.name}: {'sent' if is_sent else outcome.reason}", flush=True)
    if failed:
        raise AnalyticsError(
            f"{failed} of {len(receivers)} addresses did not take the message.\n"
            "Correct them in the variable that urls_env in [alerts] names."
        )
