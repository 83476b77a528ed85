"""From what a page says to its HTML file."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analytics.format import names
from analytics.format.days import day_in_words
from analytics.report.writing import phrases, state
from analytics.resources import folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from analytics.report.files.provenance import Provenance
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

    def __init__(self, about: About, scripts: Sequence[str]) -> None:
        reports = folder("reports")
        self._templates = Environment(
            loader=FileSystemLoader(reports / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "moment": state.moment,
            "words": day_in_words,
            "visible": names.visible,
            "capitalized": names.capitalized,
        }
        self._templates.globals |= {
            "policy": CONTENT_SECURITY_POLICY,
            "about": about,
            "scripts": scripts,
            "as_of_line": state.as_of_line,
            "days_line": state.days_line,
            "detail_line": state.detail_line,
            "detail": phrases.detail,
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
