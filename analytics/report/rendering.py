"""From what a page says to its HTML file."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analytics.report import names, state
from analytics.resources import folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.report.blocks import Chart
    from analytics.report.provenance import Provenance
    from analytics.report.site import About

# The two hashes are those of the style elements that plotly.js makes for itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'"
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o=';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)


class Pages:
    """Renders the templates of `reports/` and counts the pages written."""

    def __init__(self, about: About) -> None:
        reports = folder("reports")
        self._templates = Environment(
            loader=FileSystemLoader(reports / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "figures": figures,
            "moment": state.moment,
            "visible": names.visible,
        }
        self._templates.globals |= {
            "policy": CONTENT_SECURITY_POLICY,
            "about": about,
            "as_of_line": state.as_of_line,
            "texts": tomllib.loads((reports / "definitions.toml").read_text("utf-8")),
        }
        self.count = 0

    def write(
        self, template: str, path: Path, context: dict[str, Any], made_of: Provenance
    ) -> None:
        """Writes one page; `path` is in the site's folder, or in a folder of that."""
        page = self._templates.get_template(template).render(context, made_of=made_of)
        path.write_text(page, "utf-8")
        self.count += 1


def figures(charts: Mapping[str, Chart]) -> Markup:
    """The figures of a page as JSON, by the key of their chart, fit for a `<script>` element."""
    drawn = {chart.key: chart.figure for chart in charts.values() if chart.figure}
    document = json.dumps(drawn, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(names.json_text(document))  # noqa: S704 - json_text escapes it
