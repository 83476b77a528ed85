"""The findings of a fleet's alerts, as `analytics fleet alerts` prints them."""

from __future__ import annotations

from typing import Any


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
