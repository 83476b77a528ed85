"""`analytics alerts`: a test of the addresses that findings are sent to."""

from __future__ import annotations

import typer

from analytics.cli.options import Config

alerts = typer.Typer(help="Test where findings of alerts are sent.", no_args_is_help=True)


@alerts.callback()
def _group() -> None:
    """Keep `test` a command of its own."""


@alerts.command("test")
def send_test(config: Config = None) -> None:
    """Send a test message to each address.

    Exits with 1 if one did not take it.

    Example: analytics alerts test
    """
    from analytics.alerts.messages import TEST
    from analytics.alerts.sender import addresses, send
    from analytics.errors import AnalyticsError, UsageError
    from analytics.settings import CONFIG_FILE, alert_urls, load_settings

    receivers = addresses(alert_urls(load_settings(None, config)))
    if not receivers:
        raise UsageError(
            "There is no address to send to.\nPut addresses into a variable, and its name into"
            f" urls_env of [alerts] in {CONFIG_FILE}."
        )
    failed = 0
    for each in receivers:
        (reason,) = send(each, [TEST])
        failed += bool(reason)
        print(f"{each.name}: {reason or 'sent'}", flush=True)
    if failed:
        raise AnalyticsError(
            f"{failed} of {len(receivers)} addresses did not take the message.\n"
            "Correct them in the variable that urls_env in [alerts] names."
        )
