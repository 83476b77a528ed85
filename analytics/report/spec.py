"""Page specifications: `reports/pages/*.toml`, parsed and checked."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from analytics.errors import AnalyticsError
from analytics.files import folder
from analytics.report.entities import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from analytics.report.entities import Entity

Mark = Literal["column", "line", "bar", "interval"]


class Draw(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A value that a mark shows: an expression and its unit, its name, colour, and panel."""

    value: str
    name: str = ""
    colour: str = "cost"
    dash: Literal["", "dot", "dash"] = ""
    panel: int = 1


class Split(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A way to stack a chart over time: by columns, and where they are, if elsewhere.

    Without columns it is not stacked. `values` are the names of what the relation has of `show`,
    `subtitle` says what they are.
    """

    name: str
    by: tuple[str, ...] = ()
    data: str = ""
    time: str = ""
    values: tuple[str, ...] = ()
    subtitle: str = ""


class Show(msgspec.Struct, forbid_unknown_fields=True):
    """A value that a chart can show, and the chart's title then."""

    name: str
    value: str
    title: str


class Part(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A table, or a chart with the table of its figures.

    A `chosen` one follows the reader's choice, and the engine makes it; any other is a table in
    HTML, of the relation's rows of which the SQL in `where` is true. A chart over time can be
    switched to what it has in `split` and `show`; with `compare`, a line is the period before.
    `time` is the day of a column with the unit `trend`, if it is not `date`. A `slim` table of
    money has no row below a cent, and no column of zeros; rows beyond its limit are in the table
    `more`. Parts of one's own have rows from the first to the last day of `span`, `monthly` ones of
    whole months; `lines` mark days, and `look` is what they change of the layout.
    """

    key: str
    data: str
    chosen: bool = False
    mark: Mark | None = None
    by: tuple[str, ...] = ()
    draw: tuple[Draw, ...] = ()
    panels: tuple[str, ...] = ()
    split: tuple[Split, ...] = ()
    show: tuple[Show, ...] = ()
    compare: bool = False
    time: str = ""
    order: str = ""
    limit: int = 0
    where: str = ""
    columns: tuple[str, ...] = ()
    total: bool = False
    title: str = ""
    label: str = ""
    subtitle: str = ""
    empty: str = ""
    slim: bool = False
    more: str = ""
    wide: Literal["", "half"] = ""
    stack: tuple[str, ...] = ()
    monthly: bool = False
    span: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()
    look: dict[str, Any] = {}


class Section(msgspec.Struct, forbid_unknown_fields=True):
    """A heading with parts below it, which `folded` closes; `remarks` are templates of the page.

    A part without a label has the title. In a file, `each` are fields of every part of the section
    that does not set them itself.
    """

    key: str
    title: str
    remarks: tuple[str, ...] = ()
    folded: bool = False
    part: tuple[Part, ...] = ()


class Headline(msgspec.Struct, forbid_unknown_fields=True):
    """A number and its change; each text is a template over `rpt_headlines`.

    A text with an unknown figure is left out; without a known value, `none` stands in its place.
    """

    label: str
    value: str
    change: str = ""
    notes: tuple[str, ...] = ()
    none: str = ""


class Page(msgspec.Struct, forbid_unknown_fields=True):
    """A page for each entity of its scope.

    Texts are templates over the entity's row of `rpt_headlines`, and of each relation in `data`.
    `card` are labels of figures of the chosen period, by the keys that the engine has; `month` is
    of its month. `sign` are lines to sign on paper; those of `foot` stand in one line at the end.
    """

    scope: Scope
    title: str
    as_of: tuple[str, ...] = ()
    name: str = ""
    menu: str = ""
    data: tuple[str, ...] = ()
    picker: bool = False
    headings: dict[str, str] = {}
    remarks: tuple[str, ...] = ()
    sign: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()
    headline: tuple[Headline, ...] = ()
    card: dict[str, str] = {}
    section: tuple[Section, ...] = ()

    def path(self, entity: Entity) -> str:
        """Return the address of the page of an entity, from the site's folder."""
        if self.name in {self.scope, "overview"}:
            return entity.path
        folder = entity.path.removesuffix(".html") if entity.scope != "site" else "pages"
        return f"{folder}/{self.name}.html"

    @property
    def parts(self) -> list[Part]:
        """All parts, in order."""
        return [part for section in self.section for part in section.part]


def read_pages(root: Path | None = None) -> dict[str, Page]:
    """Read every specification by its file's name; AnalyticsError names a file that is wrong."""
    root = root or folder("reports") / "pages"
    return {path.stem: read_page(path) for path in sorted(root.glob("*.toml"))}


def read_page(path: Path) -> Page:
    """Read one specification; AnalyticsError names the file and the field that is wrong."""
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8"))
        text["section"] = [_shared("section", each) for each in text.get("section", [])]
        for section in text["section"]:
            shared = {"label": section.get("title", ""), **section.pop("each", {})}
            section["part"] = [
                {**shared, **_shared("part", each)} for each in section.get("part", [])
            ]
        page = msgspec.convert(text, Page)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise AnalyticsError(f"reports/pages/{path.name}: {error}") from error
    keys = [part.key for part in page.parts] + [section.key for section in page.section]
    if repeated := sorted({key for key in keys if keys.count(key) > 1}):
        raise AnalyticsError(f"reports/pages/{path.name}: two parts are named {repeated[0]}")
    page.name = path.stem
    return page


def _shared(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of what a page takes from `reports/parts.toml` by `use`."""
    if (name := fields.get("use")) is None:
        return fields
    known = _parts()[kind]
    if name not in known:
        raise msgspec.ValidationError(f"`{name}` is no {kind} of reports/parts.toml")
    return {"key": name, **known[name], **{k: v for k, v in fields.items() if k != "use"}}


@cache
def _parts() -> dict[str, dict[str, Any]]:
    return tomllib.loads((folder("reports") / "parts.toml").read_text(encoding="utf-8"))
