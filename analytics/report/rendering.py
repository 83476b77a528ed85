"""Pages as HTML: what a specification says, filled with the rows of one entity."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from analytics.files import folder
from analytics.format import days, numbers, text
from analytics.format.names import ALL
from analytics.report import drawings
from analytics.report.columns import Column, column
from analytics.report.findings import Findings
from analytics.report.months import KEYS, key_of
from analytics.report.statements import Statements
from analytics.report.tables import Tables, slim, sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    import duckdb

    from analytics.report.entities import Entities, Entity, Scope
    from analytics.report.months import Key
    from analytics.report.spec import Headline, Page, Part, Section
    from analytics.warehouse.publications import Before

# The two hashes are those of the style elements that plotly.js makes for itself.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'"
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    " 'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o=';"
    " img-src data: blob:; base-uri 'none'; form-action 'none'"
)
_FEW = 9  # workspaces that a month links to
_EXPECTED = "expected {forecast_low_usd|usd_about}\u2013{forecast_high_usd|usd_about}"
_OF_BUDGETS, _OF_RUNS = "by request, with surcharge", "by the day of the run"
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
    "definitions": [],
    "sign": (),
}


def framed(about: About, root: str, **given: Any) -> str:
    """Return a page in the frame that all share, which says what each text of it is.

    `root` is the way from the page to the site's folder. What is not given is not there.
    """
    reach = given.setdefault("reach", _reach(about, days.instant_in_words(about.as_of)))
    whole = {
        **_ABSENT,
        "policy": Markup(CONTENT_SECURITY_POLICY),  # noqa: S704 - its quotes are single ones
        "title": given["heading"],
        "definitions_href": f"{root}index.html#definitions",
        "footer": [f"Levain analytics {about.code_version} · {reach}"],
    }
    return environment().get_template("page.html").render(whole | given, root=root)


def _reach(about: About, end: str) -> str:
    return f"data to {end} · days and months in {about.timezone}"


class Pages:
    """Renders the pages of one specification, whose rows are read once for all entities."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        page: Page,
        pages: Mapping[str, Page],
        entities: Entities,
        about: About,
    ) -> None:
        self.page, self._pages, self._entities, self._about = page, pages, entities, about
        statements = Statements(con, page.scope)
        self._rows = {part.key: statements.rows(part) for part in page.parts if not part.chosen}
        self._own = [statements.of(name) for name in page.data]
        self._findings = (
            Findings(con, entities, about.timezone, about.before) if page.card else None
        )
        self._budgets = statements.budgets() if page.card else {}
        self._costs = statements.costs() if page.card else {}

    def html(self, entity: Entity, **alone: Any) -> str:
        """Return the page of an entity; with what differs where it stands alone, without a link."""
        page, about = self.page, self._about
        root = "../" * page.path(entity).count("/")
        row = {**entity.row, "name": entity.name}
        for rows in self._own:
            row |= rows.get(entity.key) or rows.get(entity.key[:1]) or {}
        row |= about.of_months.get(entity.key, {})
        is_signed = entity.workspace_id == ALL and (row.get("revision") or row.get("is_closable"))
        tables = Tables(self._entities, None if alone else root)
        sections = [self._section(each, entity, row, tables) for each in page.section]
        heading = text.fill(page.headings.get(str(row.get("state")), page.title), row)
        reach = self._reach(row)
        given: dict[str, Any] = {
            "title": self._title(entity, heading),
            "reach": reach,
            "heading": heading,
            "as_of": _joined(page.as_of, row),
            "remarks": sentences(page.remarks, row),
            "breadcrumb": self._breadcrumb(entity, root),
            "tabs": self._tabs(entity, root),
            "members": self._members(entity, root) if page.card else [],
            "needs": self._needs(entity, root),
            "cards": [self._card(*each, entity, row) for each in page.card.items()],
            "headlines": [headline_texts(each, row) for each in page.headline],
            "is_choosable": page.picker,
            "members_name": _MEMBERS.get(entity.scope, "") if page.picker else "",
            "sections": [each for each in sections if each["parts"] or each["text"]],
            "has_runs": any(frame_of(part)["kind"] == "runs" for part in page.parts),
            "definitions": definitions(page.scope),
            "sign": page.sign if is_signed else (),
            "footer": [
                *filter(None, [_joined(page.foot, row)]),
                f"Levain analytics {about.code_version} · {reach}",
            ],
            "data": {
                "page": page.name,
                "entity": entity.stem,
                "workspace": entity.workspace_id,
                "agent": entity.agent_id,
                **(self._findings.data(entity) if self._findings else {}),
            },
            "scripts": scripts(f"pages/{page.name}", page.parts),
        }
        return framed(about, root, **(given | alone))

    def _title(self, entity: Entity, heading: str) -> str:
        """Return the title of the document, which tells the page from all others."""
        if self.page.path(entity) != entity.path:
            return f"{self.page.menu} \u2013 {entity.name}"
        if entity.scope == "agent":  # each workspace may have a line of this name
            return f"{heading} \u2013 {self._entities.by_key[entity.workspace_id, ALL].name}"
        return heading

    def _key(self, entity: Entity) -> Key:
        return key_of(entity, KEYS[self.page.scope])

    def _of(self, part: Part, entity: Entity) -> list[Row]:
        rows = self._rows[part.key]
        return rows.get(self._key(entity)) or rows.get(()) or []

    def _section(
        self, section: Section, entity: Entity, row: Row, tables: Tables
    ) -> dict[str, Any]:
        parts = [self._part(part, entity, tables) for part in section.part]
        return {
            "key": section.key,
            "title": section.title,
            "text": " ".join(sentences(section.remarks, row)),
            "is_open": False,
            "is_folded": section.folded,
            "parts": [part for part in parts if part],
        }

    def _part(self, part: Part, entity: Entity, tables: Tables) -> dict[str, Any] | None:
        if part.chosen:
            return frame_of(part) | ({"static": self._columns(entity)} if part.split else {})
        rows = self._of(part, entity)
        columns = [column(each) for each in part.columns]
        total = sums(rows, columns) if part.total and rows else None
        if part.slim:
            columns, rows = slim(columns, rows)
        if not rows and not (total and slim(columns, [total])[1]):  # of all, nothing is a cent
            return frame_of(part) | {"kind": "text", "label": part.empty} if part.empty else None
        made = frame_of(part) | {"table": self._table(part, columns, rows, total, tables)}
        if part.title:
            first = rows[0] | {"agent_id": tables.name_of(rows[0])}
            made["label"] = text.fill(
                part.title, {**entity.row, **sums(rows, columns), "first": first}
            )
        return made

    def _columns(self, entity: Entity) -> Markup:
        """Return cost by day of the last 28 as it stands until the script has drawn it."""
        costs = self._costs.get(self._key(entity), {})
        last: date = entity.row["yesterday"]
        return drawings.columns([costs.get(last - timedelta(days=n)) for n in range(27, -1, -1)])

    def _table(
        self,
        part: Part,
        columns: Sequence[Column],
        rows: list[Row],
        total: Row | None,
        tables: Tables,
    ) -> Markup:
        """Return the table of a static part."""
        return tables.table(
            part.key,
            part.subtitle or f"Table: {part.label}",  # its section has the same name
            columns,
            rows,
            total=total,
            limit=part.limit or SHOWN_ROWS,
            relation=part.more,
            is_unseen=not part.subtitle,
            is_slim=self.page.scope == "month",
        )

    def _card(self, key: str, label: str, entity: Entity, row: Row) -> dict[str, Any]:
        """Return the frame of a figure, with what needs no choice."""
        if key != "month":
            return {"key": key, "label": label, "value": "", "notes": []}
        budget = self._budgets.get(entity.key)
        of_month = budget or {
            "month": row["month"],
            "actual_usd": row["month_cost_usd"],
            "forecast_low_usd": row.get("low_usd"),
            "forecast_high_usd": row.get("high_usd"),
        }
        expected = text.known(_EXPECTED, of_month)
        return {
            "key": key,
            "label": text.fill(label, of_month),
            "value": text.fill("{actual_usd|usd_headline}", of_month),
            "more": text.known("of {budget_usd|usd_about}", of_month) or "",
            "bullet": drawings.bullet(budget) if budget else "",
            "notes": [*filter(None, [expected]), _OF_BUDGETS if budget else _OF_RUNS],
        }

    def _breadcrumb(self, entity: Entity, root: str) -> list[dict[str, str]]:
        """Return the pages above the page of an entity."""
        trail = [self._entities.site, self._entities.by_key[entity.workspace_id, ALL]]
        path = self.page.path(entity)
        above = [each for each in dict.fromkeys(trail) if each.path != path]
        return self._about.above(root) + [
            {"name": each.name, "href": root + each.path} for each in above
        ]

    def _tabs(self, entity: Entity, root: str) -> list[dict[str, Any]]:
        """Return the pages of the same scope, if there are several; of a month, those beside it."""
        if entity.month:
            return self._month_tabs(entity, root) if entity.path else []
        of = [each for each in self._pages.values() if each.scope == entity.scope]
        if len(of) < 2:
            return []
        return [
            {
                "name": each.menu or each.name,
                "href": root + each.path(entity),
                "is_current": each is self.page,
            }
            for each in sorted(of, key=lambda each: (each.path(entity) != entity.path, each.name))
        ]

    def _month_tabs(self, entity: Entity, root: str) -> list[dict[str, Any]]:
        """Return the same month of few other workspaces, and the months before and after."""
        months = self._entities.months
        same = [each for each in months.values() if each.month == entity.month]
        mine = {ALL, entity.workspace_id}
        shown = [each for each in same if len(same) <= _FEW or each.workspace_id in mine]
        tabs = [
            {
                "name": self._entities.by_key[each.workspace_id, ALL].name,
                "href": root + each.path,
                "is_current": each is entity,
            }
            for each in shown
        ]
        own = [each for each in months.values() if each.workspace_id == entity.workspace_id]
        at = own.index(entity)  # the newest is the first
        beside = [(f"\u2039 {each.name}", each) for each in own[at + 1 : at + 2]]
        beside += [(f"{each.name} \u203a", each) for each in own[max(at - 1, 0) : at]]
        return tabs + [
            {"name": name, "href": root + each.path, "is_current": False} for name, each in beside
        ]

    def _members(self, entity: Entity, root: str) -> list[dict[str, str]]:
        """Return the pages of the site's workspaces, or of a workspace's lines."""
        if entity.scope == "agent":
            return []
        site = entity.scope == "site"
        of = self._entities.workspaces if site else self._entities.lines_of(entity)
        return [{"name": each.name, "href": root + each.path} for each in of if each.path]

    def _needs(self, entity: Entity, root: str) -> dict[str, Any] | None:
        """Return the findings of a page; that of the site has the batch's warnings beside them."""
        if (found := self._found(entity, root)) is None:
            return None
        warnings = [_with_code(each) for each in self._about.warnings if entity.scope == "site"]
        return found | {"warnings": warnings}

    def _found(self, entity: Entity, root: str) -> dict[str, Any] | None:
        return self._findings.of(entity, root) if self._findings else None

    def _reach(self, row: Row) -> str:
        """Return how far the data reach: of an agent and a month, to the last day of their own."""
        end = days.instant_in_words(self._about.as_of)
        if self.page.scope not in {"site", "workspace"}:
            if not row["last_date"]:
                return f"no run yet · days and months in {self._about.timezone}"
            end = days.day_in_words(row["last_date"])
        if self.page.scope == "agent":
            return f"last day with a run {end} · days and months in {self._about.timezone}"
        return _reach(self._about, end)


_MEMBERS: dict[Scope, str] = {"site": "Workspaces", "workspace": "Agents"}


def scripts(data: str, parts: Iterable[Part]) -> list[str]:
    """Return the scripts of a page in their order; `data` is the file of its parts."""
    plotly = ["assets/plotly.min.js"] if any(part.mark for part in parts) else []
    return ["assets/engine.js", "data/site.js", f"data/{data}.js", *plotly]


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


def _joined(templates: Sequence[str], row: Row) -> str:
    """Return in one line the filled templates that say something."""
    return " · ".join(filter(None, (_remark(each, row) for each in templates)))


def headline_texts(headline: Headline, row: Row) -> dict[str, Any]:
    """Return the texts of a headline as the frame prints them."""
    value = text.known(headline.value, row)
    return {
        "label": text.fill(headline.label, row),
        "value": value or headline.none or numbers.UNKNOWN,
        "change": (value and text.known(headline.change, row)) or "",
        "notes": [known for each in headline.notes if (known := _remark(each, row))],
    }


def sentences(templates: Sequence[str], row: Row) -> list[str]:
    """Return the filled templates that say something, as sentences."""
    return [f"{known}." for each in templates if (known := _remark(each, row))]


def _remark(template: str, row: Row) -> str | None:
    """Return the filled template; None if a figure of it is unknown, or the first one is zero."""
    first = next(iter(text.figures_of(template)), None)
    return None if first and row.get(first) in {0, ""} else text.known(template, row)


def _with_code(message: str) -> Markup:
    """Return a message with its `commands` marked as HTML has it."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(message))))  # noqa: S704 - escaped


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


def definitions(scope: Scope) -> list[dict[str, str]]:
    """Return the meanings of the pages' words; they stand on the page of the site."""
    if scope != "site":
        return []
    known = tomllib.loads((folder("reports") / "definitions.toml").read_text(encoding="utf-8"))
    return [{"term": term, "meaning": meaning} for term, meaning in known["measures"].items()]
