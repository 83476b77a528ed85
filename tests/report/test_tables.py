"""Pages of real batches say, figure by figure, what SQL says on the published file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.report.asking import said_differences, table_differences
from tests.report.pages import Page, Site
from tests.report.published import Asked

KINDS: dict[str, Callable[[Site], list[Page]]] = {
    "overview": lambda site: [site.overview],
    "workspace": lambda site: site.workspaces,
    "agent": lambda site: site.agents,
    "trust": lambda site: site.controls,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_is_what_sql_says(kind: str, batches: Site, sql: Asked) -> None:
    """Each cell of each table of each page equals SQL, to the cent or to the last digit."""
    found = [
        f"{page.path.name}, {table.attributes['id']}: {each}"
        for page in KINDS[kind](batches)
        for table in page.root.all("table")
        for each in table_differences(sql, page, table.attributes["id"])
    ]

    assert found == []


@pytest.mark.parametrize("kind", ["overview", "workspace", "agent"])
def test_headline_figures_and_titles_are_what_sql_says(
    kind: str, batches: Site, sql: Asked
) -> None:
    """Each headline figure and each title holds its figures as SQL has them, and no others."""
    found = [
        f"{page.path.name}: {each}"
        for page in KINDS[kind](batches)
        for each in said_differences(sql, page)
    ]

    assert found == []
