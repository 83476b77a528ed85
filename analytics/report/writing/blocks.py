"""What a template prints: a headline figure, and a chart with the table behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from markupsafe import Markup

    from analytics.report.writing.tables import Table

Spec: TypeAlias = dict[str, Any]
"""What the script draws a chart from, and writes its texts and its table anew from.

`kind` names the drawing (`reports/script/charts.js`). `title` and `subtitle` are templates of
`phrases.py` for a period that the reader chooses; without them, a chart does not follow it.
"""


@dataclass(frozen=True)
class Kpi:
    """A headline figure: its value, the exact one if that was shortened, and its context."""

    label: str
    value: str
    exact: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart: its finding, what is measured, and the table that proves it.

    Where `is_empty`, `subtitle` says why. Its table is `table`, or the one that stands elsewhere
    on the page under the key `see_table`; with both, the first is that of a choice. `static` is
    the drawing for readers without script.
    """

    key: str
    title: str
    subtitle: str
    spec: Spec | None = None
    table: Table | None = None
    see_table: str = ""
    static: Markup | None = None
    is_empty: bool = False

    @property
    def height(self) -> str:
        """What its height follows from: its rows, or the parts that a phone has little room for."""
        spec = self.spec or {"kind": ""}
        if spec["kind"] in {"bars", "rateRows", "failing"}:
            return "rows"
        return "parts" if spec["kind"] == "stack" or len(spec.get("panels", ())) > 1 else ""


def missing(key: str, title: str, reason: str, spec: Spec | None = None) -> Chart:
    """The place of a chart that has nothing to show, or nothing in the recent days."""
    return Chart(key, title, reason, spec, is_empty=True)
