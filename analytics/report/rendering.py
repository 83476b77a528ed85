"""The frame that all pages share, and the texts of a specification as it prints them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analytics.files import folder
from analytics.format import days, numbers, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from analytics.report.entities import Scope
    from analytics.report.months import Key
    from analytics.report.spec import Headline, Part
    from analytics.warehouse.publications import Before

# The two hashes are those of the style elements that plotly.js makes for itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'"
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o=';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)
SHOWN_ROWS = 200  # of a table without a limit of its own

Row = dict[str, Any]


@dataclass(frozen=True)
class About:
    """The batch, as pages tell of it; `as_of` is in UTC, `timezone` an IANA name.

    `home` is the address of a page above the site, as seen from it; `before` are the findings that
    were published on an earlier day. `of_months` has, by workspace and month, what their pages say
    of a close beside the tables.
    """

    as_of: datetime
    code_version: str
    timezone: str
    warnings: Sequence[str] = field(default_factory=list)
    home: str = ""
    before: Before | None = None
    of_months: Mapping[Key, Row] = field(default_factory=dict)

    def above(self, root: str) -> list[dict[str, str]]:
        """Return the link to the page above the site, if there is one, of a page below `root`."""
        if not self.home:
            return []
        return [{"name": "Fleet", "href": self.home if "://" in self.home else root + self.home}]


_ABSENT: Mapping[str, Any] = {
    "remarks": [],
    "tabs": [],
    "members": [],
    "members_name": "",
    "needs": None,
    "is_choosable": False,
    "cards": [],
    "headlines": [],
    "has_runs": False,
    "definitions": {},
    "sign": (),
}


def framed(about: About, root: str, **given: Any) -> str:
    """Return a page in the frame that all share, which says what each text of it is.

    `root` is the way from the page to the site's folder. What is not given is not there.
    """
    reach = given.setdefault("reach", reach_of(about))
    whole = {
        **_ABSENT,
        "policy": Markup(CONTENT_SECURITY_POLICY),  # noqa: S704 - its quotes are single ones
        "title": given["heading"],
        "definitions_href": f"{root}index.html#definitions",
        "footer": [
            *filter(None, [given.pop("foot", "")]),
            f"Levain analytics {about.code_version} · {reach}",
        ],
    }
    return environment().get_template("page.html").render(whole | given, root=root)


def reach_of(about: About, said: str = "") -> str:
    """Return how far data reach, and what days are; without words of its own, to the cut-off."""
    said = said or f"data to {days.instant_in_words(about.as_of)}"
    return f"{said} · days and months in {about.timezone}"


def scripts(data: str, parts: Iterable[Part]) -> list[str]:
    """Return the scripts of a page in their order; `data` is the file of its parts."""
    plotly = ["assets/plotly.min.js"] if any(part.mark for part in parts) else []
    return ["assets/engine.js", "data/site.js", f"data/{data}.js", *plotly]


def section_of(
    key: str, title: str, parts: list[dict[str, Any]], text: str = "", **given: bool
) -> dict[str, Any]:
    """Return a section as the frame prints it; `is_open` and `is_folded` are false by default."""
    given = {"is_open": False, "is_folded": False} | given
    return {"key": key, "title": title, "text": text, "parts": parts, **given}


def frame_of(part: Part) -> dict[str, Any]:
    """Return what the frame prints of a part, without its rows."""
    kind = "chart" if part.mark else "table"
    return {
        "key": part.key,
        "kind": "runs" if part.data == "rpt_runs" else kind,
        "label": part.label,
        "subtitle": "" if part.chosen else part.subtitle,
        "width": part.wide,
        "table": "",
        "split": [each.name for each in part.split],
        "show": [each.name for each in part.show],
    }


def headline_texts(headline: Headline, row: Row) -> dict[str, Any]:
    """Return the texts of a headline as the frame prints them."""
    value = text.known(headline.value, row)
    return {
        "label": text.fill(headline.label, row),
        "value": value or headline.none or numbers.UNKNOWN,
        "change": (value and text.known(headline.change, row)) or "",
        "notes": said(headline.notes, row),
    }


def sentences(templates: Iterable[str], row: Row) -> list[str]:
    """Return the filled templates that say something, as sentences."""
    return [f"{each}." for each in said(templates, row)]


def said(templates: Iterable[str], row: Row) -> list[str]:
    """Return the filled templates but for those with an unknown figure, or whose first is zero."""
    found = []
    for each in templates:
        first = next(iter(text.figures_of(each)), "")
        if row.get(first) not in {0, ""} and (known := text.known(each, row)):
            found.append(known)
    return found


@cache
def environment() -> Environment:
    """Return the environment of the templates in `reports/frame/`."""
    return Environment(
        loader=FileSystemLoader(folder("reports") / "frame"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def definitions(scope: Scope) -> dict[str, str]:
    """Return the meanings of the pages' words; they stand on the page of the site."""
    if scope != "site":
        return {}
    file = folder("reports") / "definitions.toml"
    known: dict[str, dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8"))
    return known["measures"]
