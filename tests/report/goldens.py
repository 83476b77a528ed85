"""What pages of the made-up marts say, kept as small files: `make golden` writes them anew."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from analytics.report.site import build_site
from tests.report import marts
from tests.report.conftest import about
from tests.report.pages import Page, Site

FOLDER = Path(__file__).parent / "goldens"
REFRESH = "If that is as it should be, `make golden` keeps the new figures."


def figures(page: Page) -> dict[str, Any]:
    """The headline figures of a page, the finding of each chart, and the last row of each table."""
    keys = [each.attributes["id"] for each in page.root.all("table")]
    return {
        "headline": {label: " | ".join(texts) for label, texts in page.kpis.items()},
        "findings": {
            each.attributes["id"]: each.all("h3")[0].text for each in page.root.all("figure")
        },
        "last rows": {key: " | ".join(page.table(key)[-1]) for key in keys},
    }


def of_site(site: Site) -> dict[str, dict[str, Any]]:
    """Those of one page of each kind, by the name of its file."""
    pages = {"overview": site.overview, "workspace": site.workspaces[0], "agent": site.agents[0]}
    return {name: figures(page) for name, page in pages.items()}


def read() -> dict[str, dict[str, Any]]:
    """What is kept."""
    return {file.stem: json.loads(file.read_text("utf-8")) for file in FOLDER.glob("*.json")}


def write(known: dict[str, dict[str, Any]]) -> None:
    """Keeps what pages say now."""
    FOLDER.mkdir(exist_ok=True)
    for name, page in known.items():
        text = json.dumps(page, ensure_ascii=False, indent=1)
        (FOLDER / f"{name}.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        write(of_site(Site(target, build_site(marts.made_up(), target, about=about()))))
