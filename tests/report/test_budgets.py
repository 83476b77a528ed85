"""Budgets on pages: of all on the overview, a workspace's own on its pages."""

from __future__ import annotations

from tests.report.pages import Page, Site


def _states(page: Page, key: str) -> dict[str, str]:
    """The state of each budget of a table, by its subject."""
    head, *rows = page.table(f"{key}-table")
    assert head[0] == "Subject"
    return {row[0]: row[-1] for row in rows}


def test_budgets_stand_where_there_are_any(batches: Site) -> None:
    """The overview has every budget, names as they are written; a workspace without has none."""
    of_name = {page.root.all("h1")[0].text: page for page in batches.workspaces}
    (without,) = (page for name, page in of_name.items() if "Hearth & Grain" in name)
    (owned,) = (page for name, page in of_name.items() if "Northlight Studio" in name)
    month = Page(owned.path.with_suffix("") / "2026-10.html")

    assert _states(batches.overview, "budgets") == {
        "All workspaces": "✓ on track",
        "CC-150": "✓ on track",
        "Northlight Studio": "✕ exceeded",
        "<b>nobody</b>": "unknown name",
    }
    assert _states(owned, "budgets") == {"CC-150": "✓ on track", "Northlight Studio": "✕ exceeded"}
    assert _states(month, "budget-months") == {
        "CC-150": "✓ within",
        "Northlight Studio": "✕ exceeded",
    }
    assert "against-budget" not in without.source
