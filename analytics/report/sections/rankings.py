"""Charts and tables of the parts of a total: error classes, models, tools, versions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analytics.format import numbers
from analytics.format.names import in_sentence
from analytics.report.writing import figured, phrases
from analytics.report.writing.blocks import Chart, missing
from analytics.report.writing.figured import Figure, measure
from analytics.report.writing.tables import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from analytics.report.figures.facts import Measures, Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.phrases import Value
    from analytics.report.writing.tables import Row

NEWEST = "newest"


@dataclass(frozen=True)
class Ranking:
    """How the parts of a total are shown, for any period.

    `order` is the measure that ranks them (or NEWEST, by version). `total` is the subject's
    measure that they are parts of, if any; what they leave of it is a line called `rest`.
    Templates name `{first}`, the part on top, its measures as `first_…`, likewise the `{second}`,
    what all parts add up to as `sum_…`, and the measures of the subject.
    """

    key: str
    split: str
    title: str
    subtitle: str
    none: str
    table: str
    caption: str
    figures: Sequence[Figure]
    order: str = "cost_usd"
    total: str = "cost_usd"
    rest: str = ""
    kind: str = "bars"
    unit: str = "usd"
    measures: Sequence[tuple[str, str]] = (("Cost", "@cost"),)
    is_charted: bool = False  # over the charted days, not the recent ones
    unranked: str = ""  # the title where nothing can be ranked first
    compared: str = ""  # the title where there is a second part
    is_small_last: bool = False  # few finished runs are not ranked; a part without any is left out
    is_linked: bool = False  # the second part of a key is the address of its page

    def spec(self) -> dict[str, Any]:
        """What the script draws the chart and writes the table from."""
        return {
            "kind": self.kind,
            "split": self.split,
            "order": self.order,
            "total": self.total,
            "rest": self.rest,
            "unit": self.unit,
            "charted": self.is_charted,
            "smallLast": self.is_small_last,
            "linked": self.is_linked,
            "measures": [list(each) for each in self.measures],
            "title": self.title,
            "unranked": self.unranked,
            "compared": self.compared,
            "subtitle": self.subtitle,
            "none": self.none,
            "table": {
                "key": self.table,
                "caption": self.caption,
                "kind": "split",
                "figures": [[each.value, each.unit] for each in self.figures],
            },
        }


def chart(ranking: Ranking, subject: Subject, split: Split) -> Chart:
    """The chart of the recent days, with its table."""
    coverage = subject.coverage
    period = coverage.chart_period if ranking.is_charted else coverage.calendar.recent
    whole = subject.over(period)
    rows = ordered(split.over(period), ranking.order, is_small_last=ranking.is_small_last)
    context: dict[str, Value] = {
        **whole.values(),
        "span": str(period),
        "detail": phrases.detail(subject),
    }
    subtitle = phrases.fill(ranking.subtitle, context)
    if not rows:
        return missing(ranking.key, ranking.none, f"None in {period}.", ranking.spec())
    context["period"] = str(period)
    for place, row in zip(("first", "second"), rows, strict=False):
        context[place] = in_sentence(_name_of(ranking.split, _key(row), map(_key, rows)))
        context |= {f"{place}_{name}": value for name, value in row.items() if name != "key"}
    context |= sums(rows)
    return Chart(
        ranking.key,
        phrases.fill(_title(ranking, rows), context),
        subtitle,
        ranking.spec(),
        table(ranking, rows, whole, phrases.fill(ranking.caption, context)),
    )


def table(
    ranking: Ranking, rows: Sequence[Mapping[str, Value]], whole: Measures, caption: str
) -> Table:
    """The table of a ranking: its parts, what they leave of the total, and the total."""
    figures = ranking.figures
    lines = [dict(row) for row in rows]
    total: Value = whole.values().get(ranking.total)
    if ranking.rest and isinstance(total, Decimal):
        parts = (row.get(ranking.order) for row in rows)
        known = sum((part for part in parts if isinstance(part, Decimal)), Decimal(0))
        if total != known:
            lines.append({"key": ranking.rest, ranking.order: total - known})
    context = sums(rows)
    totals = {name.removeprefix("sum_"): value for name, value in context.items()}
    if ranking.total:
        totals = {**whole.values(), ranking.order: total}
    context |= {f"@{name}": value for name, value in whole.values().items()}
    return Table(
        ranking.table,
        caption,
        [each.column for each in figures],
        [_row(ranking, figures, {**context, **line}) for line in lines],
        figured.totals(figures, lines, totals),
        is_sortable=True,
    )


def _title(ranking: Ranking, rows: Sequence[Mapping[str, Value]]) -> str:
    if ranking.is_small_last and (_is_small(rows[0]) or not rows[0][ranking.order]):
        return ranking.unranked
    return ranking.compared if ranking.compared and len(rows) > 1 else ranking.title


def _row(ranking: Ranking, figures: Sequence[Figure], values: Mapping[str, Value]) -> Row:
    """A row; a measure that a line does not have (that of the rest) is blank."""
    cells: Callable[[Sequence[Figure], Mapping[str, Value]], Row] = figured.cells
    if ranking.split == "members":
        cells = figured.exact_cells
    return [
        cells([each], values)[0] if each.value.split("/")[0] in values else "" for each in figures
    ]


def ordered(
    groups: Mapping[tuple[str, ...], Mapping[str, Value]],
    order: str,
    *,
    is_small_last: bool = False,
) -> list[dict[str, Value]]:
    """The parts with their names, the largest first, or the newest version."""
    rows: list[dict[str, Value]] = [
        {"key": key[0], "note": key[-1], **values}
        for key, values in groups.items()
        if not is_small_last or values["finished_count"]
    ]
    if order == NEWEST:
        return sorted(rows, key=lambda row: -_version(str(row["key"])))
    return sorted(
        rows,
        key=lambda row: (
            is_small_last and _is_small(row),
            -_size(row[order]),
            str(row["key"]).casefold(),
        ),
    )


def _name_of(split: str, key: Sequence[str], keys: Iterable[Sequence[str]]) -> str:
    """What a part is called: a model that several providers run, with its provider."""
    is_told_apart = split == "models" and sum(each[0] == key[0] for each in keys) > 1
    return f"{key[0]} ({key[1]})" if is_told_apart else key[0]


def _key(row: Mapping[str, Value]) -> tuple[str, str]:
    return str(row["key"]), str(row["note"])


def sums(rows: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """What the parts add up to, each measure as `sum_…`; None where none of it is known."""
    names = [name for name in rows[0] if name not in {"key", "note"}]
    return {
        f"sum_{name}": sum(known) if known else None  # type: ignore[arg-type]
        for name in names
        for known in [[row[name] for row in rows if isinstance(row[name], int | Decimal)]]
    }


def _version(label: str) -> int:
    number = label.removeprefix("v")
    return int(number) if number.isdigit() else -1


def _is_small(row: Mapping[str, Value]) -> bool:
    return _size(row["finished_count"]) < numbers.SMALL_SAMPLE


def _size(value: Value) -> Decimal:
    return Decimal(0) if value is None else Decimal(value)


ERRORS = Ranking(
    key="errors",
    split="errors",
    title="{first} makes {first_cost_usd/failed_cost_usd|percent} of the cost of failed runs",
    subtitle="Cost of failed runs by error class, US dollars, {span}.{detail}",
    none="No failed runs",
    table="error-classes",
    caption="Failed runs by error class, US dollars, {span}",
    figures=(
        Figure("Error class", "key", "name"),
        measure("cost_usd"),
        Figure("Share of cost", "cost_usd/@failed_cost_usd", "percent"),
        Figure("Failed runs", "run_count", "count"),
    ),
    total="failed_cost_usd",
    measures=(("Cost of failed runs", "@failure"),),
)

MODELS = Ranking(
    key="models",
    split="models",
    title="{first} makes {first_cost_usd/sum_cost_usd|percent} of the metered cost",
    subtitle="Cost by model, metered, UTC days, US dollars, {span}.",
    none="No metered usage",
    table="model-split",
    caption="Metered usage by model and provider, UTC days, US dollars and tokens, {span}",
    figures=(
        Figure("Model", "key", "name"),
        Figure("Provider", "note", "name"),
        measure("cost_usd"),
        Figure("Share of cost", "cost_usd/sum_cost_usd", "percent"),
        measure("tokens_in"),
        measure("tokens_out"),
    ),
    total="",
)

VERSIONS = Ranking(
    key="versions",
    split="versions",
    title="Failed of finished runs of {first}, the only version with runs: "
    "{first_failed_count/first_finished_count|rate}",
    compared="Failed of finished runs: {first_failed_count/first_finished_count|rate} with "
    "{first}, {second_failed_count/second_finished_count|rate} with {second} before it",
    subtitle="Dots: share of finished runs that failed; lines: 95% Wilson interval; hollow: fewer "
    "than 20 runs. By version, the newest first, {span}.{detail}",
    none="No finished runs",
    table="version-rates",
    caption="Runs by version, US dollars, {span}",
    figures=(
        Figure("Version", "key", "name"),
        measure("failed_count"),
        Figure("Finished", "finished_count", "count"),
        measure("failure_rate", "rate", "failed_count/finished_count"),
        Figure("95% interval, %", "failed_count/finished_count", "interval"),
        measure("run_count"),
        measure("cost_usd"),
        Figure("Cost per run", "cost_usd/run_count", "each"),
    ),
    order=NEWEST,
    total="",
    kind="rateRows",
    is_charted=True,
)

STEPS = Ranking(
    key="steps",
    split="steps",
    title="Runs wait longest for {first}: {first_milliseconds/sum_milliseconds|percent} of the "
    "time in tools",
    subtitle="Time that runs spent in each tool, from their log events, {span}.{detail}",
    none="No tool calls",
    table="tool-time",
    caption="Tools that runs called, {span}",
    figures=(
        Figure("Tool", "key", "name"),
        Figure("Node", "note", "name"),
        Figure("Time", "milliseconds", "milliseconds"),
        Figure("Calls", "call_count", "count"),
        Figure("Calls that failed", "error_count", "count"),
    ),
    order="milliseconds",
    total="",
    unit="milliseconds",
    measures=(("Time", "@tokens-in"),),
)

_AGENT_FIGURES = (
    measure("cost_usd"),
    Figure("Share of cost", "cost_usd/@cost_usd", "percent"),
    measure("run_count"),
    measure("failed_count"),
    measure("failure_rate", "rate", "failed_count/finished_count"),
    measure("failed_cost_usd", "range"),
)


def members(unit: str) -> Ranking:
    """The ranking of a workspace's lines, or of all workspaces; each links to its page."""
    return Ranking(
        key="members",
        split="members",
        title="{first} makes {first_cost_usd/cost_usd|percent} of the cost",
        subtitle=f"Cost by {unit}, US dollars, {{span}}.",
        none="No runs",
        table="members-table",
        caption=f"Cost and runs by {unit}, US dollars, {{span}}",
        figures=(Figure(unit.capitalize(), "key", "name"), *_AGENT_FIGURES),
        is_linked=True,
    )
