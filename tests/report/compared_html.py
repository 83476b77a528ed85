"""What is wrong with pages: the figures in their HTML that differ from those expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby

from analytics.format import names, numbers, text
from analytics.report.columns import Column, column
from analytics.report.entities import Entity
from analytics.report.spec import Headline, Page, Part
from tests.report.compared import matched
from tests.report.expected import Cell, Choice, Reports, Row, key_in_words, unheard
from tests.report.pages import Element

SHOWN_ROWS = 200
_SIGNS = "✓✕◔ "


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
    listed = [[static_cells(reports, columns, row) for row in group] for group in groups]
    limit, count = part.limit or SHOWN_ROWS, sum(map(len, groups))
    yield from matched(listed, shown, limit)
    foot = [
        [(cell.text, cell.attributes.get("data-v")) for cell in row.children]
        for each in table.all("tfoot")
        for row in each.all("tr")
    ]
    expected: list[list[Cell]] = []
    if count > limit:
        expected.append([(f"{count - limit:,} more in reports.{part.data}", None)])
    if part.total:
        rows = [row for group in groups for row in group]
        sums = _sums(rows)
        blank: Cell = ("", None)
        expected.append([(part.total if isinstance(part.total, str) else "Total", None)] + [
            blank if each.kind else _written(each.expression, each.unit, sums | _unlike(rows, each))
            for each in columns[1:]
        ])  # fmt: skip
    if foot != expected:
        yield f"foot {foot}, expected {expected}"


def _unlike(rows: list[Row], of: Column) -> Row:
    """Nothing is known of a total of two figures where a row knows one of them alone."""
    names = of.expression.split("/")
    known = [[row.get(name) is not None for name in names] for row in rows]
    return {} if all(len(set(each)) == 1 for each in known) else dict.fromkeys(names)


def _html_cell(cell: Element, of: Column) -> Cell:
    shown = cell.text.lstrip(_SIGNS).replace(" ", "_") if of.unit == "state" else cell.text
    return shown, cell.attributes.get("data-v")


def static_cells(reports: Reports, columns: Iterable[Column], row: Row) -> list[Cell]:
    """A row of a table in HTML."""
    made: list[Cell] = []
    for each in columns:
        value = row.get(each.expression)
        if each.unit in {"agent", "agent_name", "workspace", "workspace_month"}:
            is_workspace = each.unit.startswith("workspace")
            key = row["workspace_id"], "(all)" if is_workspace else row["agent_id"]
            entity = reports.entities.by_key.get(key)
            made.append((entity.name if entity else key[-1], None))
        elif each.unit == "spark":
            made.append(("", None))
        elif each.unit == "of_unit":
            made.append(_written(each.expression, "usd" if row["unit"] == "usd" else "number", row))
        elif isinstance(value, str) and each.kind:
            words = value.replace("_", " ") if each.unit == "words" else value
            words = names.capitalized(words) if each.unit == "prose" else words
            if each.unit == "name":
                words = names.display(key_in_words(each.expression, words))
            made.append((names.visible(words), None))
        elif each.kind:
            shown = "" if each.unit == "state" else text.figure(each.expression, each.unit, row)
            exact = None if value is None else text.plain(each.expression, each.unit, row)
            made.append((shown, exact))
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
        names_of_keys = ("workspace_id", "month" if entity.month else "agent_id")
        keys = [each for each in names_of_keys if each in reports.columns(relation)]
        where = " and ".join(f"{each} = ?" for each in keys)
        values = [getattr(entity, each) for each in keys]
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
    as_of = " ".join(filter(None, (text.known(each, row) for each in page.as_of)))
    lines = [heading, *filter(None, [as_of]), *_sentences(page.remarks, row)]
    told = [each.text for each in (*root.all("h1"), *root.all("p", **{"class": "as-of"}))]
    warnings = {each for each in told if entity.scope == "site" and each.startswith("Warning: ")}
    if (said := [each for each in told if each not in warnings]) != lines:
        yield f"{page.name} of {entity.name}: {said}, expected {lines}"
    (main,) = root.all("main")
    told = [each.text for each in root.all("table")] + [x for each in headlines for x in each]
    told += [*lines, *(text for part in page.parts for text in _told(reports, part, entity))]
    if loose := unheard(" ".join(_outside_of_tables(main)), told):
        yield f"{page.name} of {entity.name}: {loose} are in no table"


def _told(reports: Reports, part: Part, entity: Entity) -> Iterator[str]:
    """The figures of a part of which the page has no table before a reader asks for it."""
    if part.period and part.by and part.draw:
        view = reports.view(part, entity, Choice())
        cells = [cell for row in view.rows for cell in reports.cells(view, row, entity)]
        yield from (text for text, _ in (*cells, *reports.totals(view)))


def _headline(headline: Headline, row: Row) -> list[str]:
    value = text.known(headline.value, row)
    change = value and headline.change and text.known(headline.change, row)
    notes = [known for each in headline.notes if (known := _remark(each, row))]
    shown = value or headline.none or numbers.UNKNOWN
    return [text.fill(headline.label, row), shown, *([change] if change else []), *notes]


def _sentences(templates: Iterable[str], row: Row) -> list[str]:
    return [f"{known}." for each in templates if (known := _remark(each, row))]


def _remark(template: str, row: Row) -> str | None:
    """A text whose first figure is known and not zero, and whose others are known."""
    first = text.figures_of(template)[:1]
    return None if first and row.get(first[0]) in {0, ""} else text.known(template, row)


def _outside_of_tables(element: Element) -> Iterator[str]:
    if {each.tag for each in element.children} <= {"a", "bdi", "span", "wbr"}:
        yield element.text
        return
    for child in element.children:
        if child.tag not in {"table", "svg", "nav", "noscript", "form"}:
            yield from _outside_of_tables(child)
