"""What is wrong on a page: the figures that differ from those expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from analytics.format import days, names, numbers, text
from analytics.format.days import Period
from analytics.report.columns import Column, column
from analytics.report.entities import Entity
from analytics.report.spec import Headline, Page, Part
from tests.report.expected import Cell, Choice, Reports, Row, View, drawn, raw
from tests.report.pages import Element

SHOWN_ROWS = 200
DRAWN_ROWS = 10
_SIGNS = "✓✕◔ "


def differences_of_views(
    reports: Reports, page: Page, entity: Entity, choice: Choice, shown: list[Row]
) -> Iterator[str]:
    """Compare the engine's views of a page's parts with SQL."""
    parts = [part for part in page.parts if part.period or part.mark]
    assert len(parts) == len(shown)
    for part, view in zip(parts, shown, strict=True):
        if part.data == "rpt_runs":
            continue
        at = f"{page.name} of {entity.name}, {part.key}, {choice}"
        found = _of_view if part.period else _of_drawing
        yield from (f"{at}: {each}" for each in found(reports, part, entity, choice, view))


def _of_view(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    view = reports.view(part, entity, choice)
    if view.is_empty != shown["isEmpty"]:
        yield f"empty: {shown['isEmpty']}"
        return
    table = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["rows"]]
    listed = _listed(view)
    groups = [[(reports.cells(view, row, entity), row) for row in group] for group in listed]
    rows, wrong = matched(groups if not view.is_empty else [], table)
    yield from wrong
    foot = [[(each["text"], each["value"]) for each in row] for row in shown["table"]["foot"]]
    if not _equal(reports.foot(part, view), foot):
        yield f"total {foot}, expected {reports.foot(part, view)}"
    if wrong:
        return
    rows = [group[0] for group in view.groups] if view.is_time else rows
    texts = reports.title(part, view, rows, entity)
    if texts != (shown["title"], shown["subtitle"]):
        yield f"title {shown['title']!r}, {shown['subtitle']!r}, expected {texts}"
    if part.stack:
        series = [[_number(each) for each in of["values"]] for of in shown["series"]]
        expected = [] if view.is_empty else reports.stacked(part, rows, entity, choice)
        if series != expected:
            yield f"series {series}, expected {expected}"
    elif not view.is_empty:
        yield from _of_marks(part, rows, shown["rows"], is_whole=view.is_time)


def _listed(view: View) -> list[list[Row]]:
    """The rows of the table: of days the newest first, from the first day that was read on."""
    if not view.is_time:
        return view.groups
    read = [index for index, (row,) in enumerate(view.groups) if row["state"] != "n"]
    return view.groups[min(read, default=0) :][::-1]


def _of_marks(part: Part, rows: list[Row], marks: list[Row], *, is_whole: bool) -> Iterator[str]:
    """Compare what is drawn: all rows, or the first ones and what the others add up to."""
    limit = len(rows) if is_whole or part.mark in {"line", "cell"} else part.limit or DRAWN_ROWS
    expected = [drawn(part, row) for row in rows[:limit]]
    if rows[limit:] and part.mark == "bar":
        others = zip(*(drawn(part, row) for row in rows[limit:]), strict=True)
        expected.append([sum(each for each in of if each is not None) for of in others])
    figures = [name for each in part.draw for name in each.value.partition("|")[0].split("/")]
    found = [[_number(row["values"].get(name)) for name in figures] for row in marks]
    if found != expected:
        yield f"drawn {found}, expected {expected}"


def _of_drawing(
    reports: Reports, part: Part, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    """Compare a chart that needs no choice."""
    rows = [row for group in reports.static(part, entity) for row in group]
    if choice == Choice() and rows:
        yield from _of_marks(part, rows, shown["rows"], is_whole=False)


def differences_of_tables(
    reports: Reports, page: Page, entity: Entity, root: Element
) -> Iterator[str]:
    """Compare the tables in a page's HTML with SQL; every one has to belong to a part."""
    known = {"chosen-figures", "ranked-runs", "listed-runs"}
    for part in page.parts:
        if not part.is_static:
            known.add(f"{part.key}-table")
            continue
        groups = reports.static(part, entity)
        if not groups and part.empty and part.empty not in [each.text for each in root.all("p")]:
            yield f"{part.key}: nothing says that it is empty"
        for key, of in _folds(part, groups).items():
            known.add(f"{key}-table")
            tables = root.all("table", id=f"{key}-table")
            if len(tables) != 1:
                yield f"{page.name} of {entity.name}: {len(tables)} tables {key}"
                continue
            found = _of_table(reports, part, of, tables[0])
            yield from (f"{page.name} of {entity.name}, {key}: {each}" for each in found)
    for table in root.all("table"):
        if table.attributes["id"] not in known:
            yield f"{page.name} of {entity.name}: the table {table.attributes['id']} has no part"


def _folds(part: Part, groups: list[list[Row]]) -> dict[str, list[list[Row]]]:
    if part.fold != "month":
        return {part.key: groups} if groups else {}
    folds: dict[str, list[list[Row]]] = {}
    for group in groups:
        for month, rows in groupby(group, _month):
            folds.setdefault(f"{part.key}-{month}", []).append(list(rows))
    return folds


def _month(row: Row) -> str:
    return f"{row.get('month') or row.get('utc_date') or row['date']:%Y-%m}"


def _of_table(
    reports: Reports, part: Part, groups: list[list[Row]], table: Element
) -> Iterator[str]:
    columns = [column(each) for each in part.columns]
    heads = [each.text for each in table.all("thead")[0].all("th")]
    if heads != [each.label for each in columns]:
        yield f"heads {heads}"
    (body,) = table.all("tbody")
    shown = [
        [_html_cell(cell, each) for cell, each in zip(row.children, columns, strict=True)]
        for row in body.all("tr")
    ]
    listed = [[(static_cells(reports, columns, row), row) for row in group] for group in groups]
    limit, count = part.limit or SHOWN_ROWS, sum(map(len, groups))
    yield from matched(listed, shown, limit)[1]
    foot = [
        [(cell.text, cell.attributes.get("data-v")) for cell in row.children]
        for each in table.all("tfoot")
        for row in each.all("tr")
    ]
    expected: list[list[Cell]] = []
    if count > limit:
        expected.append([(f"{count - limit:,} more in reports.{part.data}", None)])
    if part.total:
        sums = _sums([row for group in groups for row in group])
        blank: Cell = ("", None)
        expected.append([("Total", None)] + [
            blank if each.kind else _written(each.expression, each.unit, sums)
            for each in columns[1:]
        ])  # fmt: skip
    if foot != expected:
        yield f"foot {foot}, expected {expected}"


def _html_cell(cell: Element, of: Column) -> Cell:
    shown = cell.text.lstrip(_SIGNS) if of.unit == "state" else cell.text
    return shown, cell.attributes.get("data-v")


def static_cells(reports: Reports, columns: Iterable[Column], row: Row) -> list[Cell]:
    """A row of a table in HTML."""
    made: list[Cell] = []
    for each in columns:
        value = row.get(each.expression)
        if each.unit in {"agent", "workspace"}:
            key = row["workspace_id"], row["agent_id"] if each.unit == "agent" else "(all)"
            entity = reports.entities.by_key.get(key)
            made.append((entity.name if entity else key[-1], None))
        elif each.unit == "spark":
            made.append(("", None))
        elif each.unit == "of_unit":
            made.append(_written(each.expression, "usd" if row["unit"] == "usd" else "number", row))
        elif isinstance(value, str) and each.kind:
            words = value.replace("_", " ") if each.unit == "words" else value
            words = names.capitalized(words) if each.unit == "prose" else words
            made.append(
                (names.display(words) if each.unit == "name" else names.visible(words), None)
            )
        elif each.kind:
            shown = "" if each.unit == "state" else text.figure(each.expression, each.unit, row)
            made.append((shown, None))
        else:
            made.append(_written(each.expression, each.unit, row))
    return made


def _written(name: str, unit: str, row: Row) -> Cell:
    """A figure, and its exact value where the text is not that."""
    shown, exact = text.figure(name, unit, row), text.plain(name, unit, row)
    return shown, None if exact in {None, shown} else exact


def _sums(rows: list[Row]) -> Row:
    sums: Row = {}
    for row in rows:
        for name, value in row.items():
            if isinstance(value, (int, float, Decimal)):
                sums[name] = sums.get(name, 0) + value
    return sums


def differences_of_texts(
    reports: Reports, page: Page, entity: Entity, root: Element
) -> Iterator[str]:
    """Compare headline figures, heading and remarks with the tables; no other text has digits."""
    row: Row = {**entity.row, "name": entity.name}
    for relation in page.data:
        keys = [each for each in ("workspace_id", "agent_id") if each in reports.columns(relation)]
        where = " and ".join(f"{each} = ?" for each in keys)
        values = list(entity.key[: len(keys)])
        for found in reports.rows(f"from reports.{relation} where {where}", values):
            row |= found
    headlines = [_headline(each, row) for each in page.headline]
    shown = [
        [each.text for each in block.children if each.attributes.get("class") != "trend"]
        for block in root.all("div", **{"class": "headline"})
    ]
    if shown != headlines:
        yield f"{page.name} of {entity.name}: headlines {shown}, expected {headlines}"
    heading = text.fill(page.headings.get(str(row.get("state")), page.title), row)
    lines = [heading, text.fill(page.as_of, row)]
    lines += [f"{known}." for each in page.remarks if (known := _remark(each, row))]
    found_lines = [each.text for each in (*root.all("h1"), *root.all("p", **{"class": "as-of"}))]
    if found_lines != lines:
        yield f"{page.name} of {entity.name}: {found_lines}, expected {lines}"
    yield from _loose(
        reports, page, entity, root, {*lines, *(x for each in headlines for x in each)}
    )


def _headline(headline: Headline, row: Row) -> list[str]:
    value = text.known(headline.value, row)
    change = value and headline.change and text.known(headline.change, row)
    notes = [known for each in headline.notes if (known := _remark(each, row))]
    shown = value or headline.none or numbers.UNKNOWN
    return [text.fill(headline.label, row), shown, *([change] if change else []), *notes]


def _remark(template: str, row: Row) -> str | None:
    """A text whose first figure is known and not zero, and whose others are known."""
    first = text.figures_of(template)[:1]
    return None if first and row.get(first[0]) in {0, ""} else text.known(template, row)


def _loose(
    reports: Reports, page: Page, entity: Entity, root: Element, said: set[str]
) -> Iterator[str]:
    """Texts with digits that stand in no table and were not expected."""
    (main,) = root.all("main")
    allowed = said | {each.name for each in reports.entities.by_key.values()}
    for section in page.section:
        allowed |= {section.text, section.title}
    for part in page.parts:
        allowed |= {
            part.label,
            part.empty,
            part.fold,
            part.subtitle,
            *_titles(reports, part, entity),
        }
        allowed |= {text.fill(part.subtitle, {"span": "latest days"})}
        if part.fold == "month":
            allowed |= {days.month_in_words(row.get("month") or row["utc_date"])
                        for group in reports.static(part, entity) for row in group}  # fmt: skip
    if main_chart := next((each for each in page.parts if each.mark == "column"), None):
        view = reports.view(main_chart, entity, Choice())
        rows = [row for group in view.groups for row in group]
        allowed |= {*reports.title(main_chart, view, rows, entity)}
    for element in _leaves(main):
        own = element.text.strip()
        if any(map(str.isdigit, own)) and own not in allowed:
            yield f"{page.name} of {entity.name}: {own!r} is of no part"


def _titles(reports: Reports, part: Part, entity: Entity) -> list[str]:
    """The titles that a chart without a choice may have, by the row that stands first."""
    if not part.is_static or not part.title:
        return []
    first, *_ = [*reports.static(part, entity), []]
    titles = []
    for row in first:
        key = row.get("workspace_id"), row.get("agent_id")
        name = reports.entities.by_key[key].name if key in reports.entities.by_key else ""
        told = {**row, "agent_id": names.in_sentence(name)}
        titles.append(text.fill(part.title, {**entity.row, "first": told}))
    return titles


def _leaves(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.tag in {"table", "svg", "nav", "noscript", "form"}:
            continue
        if child.attributes.get("class") == "terms":
            continue
        if all(each.tag in {"bdi", "span"} for each in child.children):
            yield child
        else:
            yield from _leaves(child)


def matched(
    groups: list[list[tuple[list[Cell], Row]]], shown: list[list[Cell]], limit: int = 0
) -> tuple[list[Row], list[str]]:
    """The expected rows in the order shown, and what is wrong; groups stand in their order."""
    count = sum(map(len, groups))
    if limit:
        count = min(count, limit)
    if count != len(shown):
        return [], [f"{len(shown)} rows, expected {count}"]
    rest, rows, wrong = iter(shown), [], []
    for group in groups:
        left = list(group)
        for _ in group:
            if (cells := next(rest, None)) is None:
                break
            found = next((each for each in left if _equal([each[0]], [cells])), None)
            if found is None:
                wrong.append(f"row {cells}, expected {left[0][0]}")
            else:
                left.remove(found)
                rows.append(found[1])
    return rows, wrong[:3]


def _equal(expected: Sequence[Sequence[Cell]], shown: Sequence[Sequence[Cell]]) -> bool:
    flat = [[each for row in of for each in row] for of in (expected, shown)]
    return len(flat[0]) == len(flat[1]) and all(
        a[0] == b[0] and _exact(a[1]) == _exact(b[1]) for a, b in zip(*flat, strict=True)
    )


def _exact(value: str | None) -> Any:
    """Plain digits as a number, as scripts leave zeros out."""
    try:
        return Decimal(value or "")
    except ArithmeticError:
        return value


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) else value


def runs_as_given(reports: Reports, relation: str, entity: Entity, month: str) -> list[Row]:
    """The rows of the runs of a month as a data file has them, in any order."""
    rows = reports.rows(
        f"select * exclude (workspace_id, agent_id), day(date) as date from reports.{relation}"
        " where workspace_id = ? and agent_id = ? and strftime(date, '%Y-%m') = ?",
        [*entity.key, month],
    )
    return [{name: raw(value) for name, value in row.items()} for row in rows]


def differences_of_summary(
    reports: Reports, entity: Entity, choice: Choice, shown: Row
) -> Iterator[str]:
    """Compare the figures of a choice with SQL, and those of the period before."""
    today = entity.row["today"]
    first = choice.first or today - timedelta(days=91)
    last = min(choice.last or today, today)
    before = _before(first, last, today)
    whole = all(reports.state(entity, each) == "c" for each in before.days())
    periods = [
        Choice(first, last, choice.members),
        Choice(before.first, before.last, choice.members),
    ]
    now, then = ({**_of_days(reports, entity, each)} for each in periods)
    expected = [
        (text.figure(name, unit, now), text.figure(name, unit, then if whole else {}))
        for name, unit in SUMMARY[: None if entity.scope != "site" else -1]
    ]
    found = [(each["text"], each["previous"]) for each in shown["figures"]]
    if found != expected:
        yield f"summary of {entity.name}, {choice}: {found}, expected {expected}"


SUMMARY = (
    ("cost_usd", "usd_headline"), ("run_count", "count"), ("failed_count/finished_count", "rate"),
    ("failed_cost_usd", "range"), ("run_cost_usd/succeeded_count", "each"),
    ("tokens_in", "tokens"), ("tokens_out", "tokens"), ("billed_usd", "usd_headline"),
)  # fmt: skip


def _of_days(reports: Reports, entity: Entity, choice: Choice) -> Row:
    """The sums of a choice, and what is billed of it."""
    relation = "rpt_workspace_days" if entity.scope == "site" else "rpt_days"
    sums: Row = {}
    for data in ("rpt_bill_days", relation)[entity.scope == "site" :]:
        part = Part("summary", data, "charted", by=("agent_id",))
        for row in reports.sums(part, entity, choice, (), weekly=False):
            sums |= row
    return sums


def _before(first: date, last: date, today: date) -> Period:
    """The period that a choice is compared with."""
    month = Period.month_of(last)
    if first != month.first or last not in {month.last, today}:
        return Period(first - (last - first) - timedelta(days=1), first - timedelta(days=1))
    previous = Period.month_of(first - timedelta(days=1))
    same = min(previous.first + (last - first), previous.last)
    return previous if last == month.last else Period(previous.first, same)


def site_pages(
    site: Path, pages: dict[str, Page], entities: Iterable[Entity]
) -> list[tuple[Page, Entity, Path]]:
    """Each page of some entities, with its file."""
    return [
        (page, entity, site / page.path(entity))
        for page in pages.values()
        for entity in entities
        if page.scope == entity.scope
    ]
