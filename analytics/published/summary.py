"""The summary of the published figures, on the terminal."""

from __future__ import annotations

from pathlib import Path

from analytics.published.sandbox import open_published
from analytics.summary.facts import QUERIES, read_summary
from analytics.summary.words import terminal_lines
from analytics.transform.page_queries import create_queries


def print_summary(published: Path, site: Path) -> None:
    """Print the summary and the location of the reports, if any, to standard output."""
    with open_published(published) as con:
        create_queries(con, QUERIES)
        summary = read_summary(con)
    print(*terminal_lines(summary), sep="\n")
    if (index := site / "index.html").exists():
        print(f"Reports:   {index.resolve().as_uri()}")
