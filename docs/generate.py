"""Write the generated parts of the documentation anew, as `make docs` does.

A generated part stands between `<!-- generated: name -->` and `<!-- end -->`; the name is that of
a maker below.
"""

from __future__ import annotations

import ast
import inspect
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from typer.main import get_command

from analytics.cli.app import app
from analytics.levain import AsyncLevain, errors
from analytics.resources import folder
from analytics.transform.build import build
from analytics.transform.checks import MERGED
from analytics.transform.measures import measures
from analytics.transform.models import Header, read_header
from analytics.warehouse.database import attached_marts, open_warehouse
from analytics.warehouse.layout import Layout

DOCS = Path(__file__).parent
ROOT = DOCS.parent

OVERVIEW: Mapping[str, Mapping[str, str]] = {
    "What ran": {
        "marts.fct_runs": "run_id agent_id date status cost_usd tokens_in error_class is_final",
        "marts.fct_run_models": "run_id provider model cost_usd tokens_in request_count",
        "marts.fct_log_events": "run_id seq event_kind tool_name is_error duration_ms",
        "marts.fct_tool_calls": "run_id call_number tool_name is_error duration_ms",
        "marts.fct_sessions": "session_id agent_id first_run_at listed_run_count listed_cost_usd",
    },
    "What it cost, by the date on which a run was created": {
        "marts.fct_agent_days": "agent_name owner cost_center date run_count failed_count cost_usd"
        " failed_cost_usd unlisted_run_count unknown_cost_count is_complete",
        "marts.fct_agent_months": "agent_name month status cost_usd metered_cost_usd billed_usd",
        "marts.fct_workspace_days": "date run_count failed_count cost_usd platform_cost_usd"
        " is_complete",
        "marts.fct_workspace_months": "month status run_count failed_count cost_usd"
        " metered_cost_usd billed_usd",
        "marts.fct_adjustments": "agent_id date previous_cost_usd current_cost_usd"
        " previous_run_count current_run_count cause seen_at",
    },
    "What is metered and billed, by the UTC time of the request": {
        "marts.fct_usage_hours": "hour agent_id provider model metered_cost_usd tokens_in"
        " request_count error_count",
        "marts.fct_model_days": "utc_date agent_name provider model metered_cost_usd tokens_in"
        " request_count",
        "marts.fct_charges": "utc_date agent_name provider model owner cost_center account"
        " metered_cost_usd surcharge_usd own_key_usd billed_usd",
        "marts.fct_billing_days": "utc_date provider metered_cost_usd surcharge_usd own_key_usd"
        " billed_usd",
    },
    "What finance books, by UTC month": {
        "marts.dim_months": "month status revision closed_at open_day_count"
        " unreconciled_day_count unexplained_usd",
        "marts.fct_month_lines": "usage_month revision agent_name owner cost_center"
        " metered_cost_usd billed_usd run_count cost_usd",
        "marts.fct_period_adjustments": "usage_month booked_month cause previous_billed_usd"
        " current_billed_usd difference_billed_usd is_booked",
        "marts.fct_charge_adjustments": "usage_month booked_month utc_date agent_id model cause"
        " billed_usd load_id",
        "marts.fct_invoices": "usage_month booked_month invoice_id issued_on amount_usd credit_usd"
        " tax_usd billed_usd difference_usd status",
        "marts.fct_accruals": "booked_month usage_month cost_center account billed_usd invoiced_usd"
        " accrual_usd adjusted_usd entry_usd",
        "marts.fct_allocations": "usage_month agent_id line_cost_center cost_center source rule"
        " metered_cost_usd billed_usd",
        "marts.fct_budgets": "scope name month budget_usd actual_usd remaining_usd forecast_usd"
        " exhausted_on status",
        "marts.fct_journal_lines": "booked_month entry_id entry_date kind account cost_center"
        " debit_usd credit_usd memo",
        "marts.fct_month_bridge": "month agent_id provider model start_usd volume_effect_usd"
        " price_effect_usd failure_effect_usd end_usd",
    },
    "Who and when": {
        "marts.dim_workspaces": "workspace_name reporting_timezone last_batch_at"
        " last_complete_date",
        "marts.dim_agents": "agent_id agent_slug agent_name line_type status owner cost_center",
        "marts.dim_agent_versions": "agent_id agent_version published_at first_run_at last_run_at",
        "marts.dim_models": "model provider family first_used_on last_used_on",
        "marts.dim_provider_keys": "key_id provider added_at removed_at",
        "marts.dim_dates": "date month weekday is_complete is_provisional",
    },
    "Ahead and amiss": {
        "marts.fct_findings": "rank kind subject since sentence next_step cost_usd",
        "marts.fct_forecasts": "agent_id month cost_to_date_usd low_usd expected_usd high_usd"
        " hit_rate",
    },
    "Whether to believe it": {
        "audit.reconciliation_days": "utc_date metered_cost_usd ended_cost_usd unlisted_cost_usd"
        " timing_difference_usd unexplained_usd billed_usd status",
        "audit.cost_to_bill": "month step_number step amount_usd",
        "audit.controls": "control measure first_source second_source compared_count ours theirs",
        "audit.control_findings": "control finding_number utc_date agent_id measure ours theirs",
        "audit.check_results": "check_name claim control is_ok is_blocking violation_count finding",
        "audit.list_coverage": "agent_id busiest_day_run_count collection_interval_seconds"
        " required_batches_per_day",
        "audit.loads": "load_id step record_count new_version_count loaded_at published_at",
        "audit.requests": "load_id request_number source path agent_id status fetched_at",
        "audit.landing_files": "load_id file_name byte_count sha256",
        "audit.run_versions": "run_id version_number status cost_usd seen_at is_current",
        "audit.quarantined_records": "load_id source field reason",
        "audit.closings": "month revision status closed_at approved_by manifest_sha256 reason",
        "audit.project_files": "kind file name status error sha256",
        "audit.alert_findings": "alert_name title severity finding",
    },
}
"""Each published table of marts and audit, in groups, with the columns to know beside its key."""

_PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_GRAIN = re.compile(r"Grain: (.+)\.$")


class Table(NamedTuple):
    """A published relation: its comment, and its columns."""

    meaning: str
    columns: list[str]


def main() -> None:
    """Write each page whose generated parts have changed."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            page.write_text(new, encoding="utf-8")


def pages() -> list[Path]:
    """Return every page of docs/, and those at the top level but for the changelog."""
    tops = [each for each in sorted(ROOT.glob("*.md")) if each.name != "CHANGELOG.md"]
    return [*tops, *sorted(DOCS.glob("*.md"))]


def renewed(text: str) -> str:
    """Return a page with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{MAKERS[part[2]]()}\n\n{part[3]}", text)


def commands(given: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of each command and group, the outermost first."""
    command = given or get_command(app)
    yield path
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            yield from commands(each, (*path, name))


def _entries() -> str:
    every: Any = get_command(app)
    return _table(
        "command | does",
        (
            (f"`{name}`", each.get_short_help_str(limit=200))
            for name, each in every.commands.items()
        ),
    )


@cache
def tables() -> dict[str, Table]:
    """Return each published relation, as a build of no data makes it."""
    with (
        tempfile.TemporaryDirectory() as data,
        open_warehouse(Layout(Path(data))) as con,
        attached_marts(con, Path(":memory:")),
    ):
        build(con, timezone="UTC")
        rows = con.execute(
            "select schema_name || '.' || table_name, tables.comment, column_name"
            " from duckdb_columns() as columns join duckdb_tables() as tables"
            " using (database_name, schema_name, table_name) where database_name = 'build_file'"
            " order by schema_name, table_name, column_index"
        ).fetchall()
    return {
        relation: Table(comment, [column for _, _, column in of_relation])
        for (relation, comment), of_relation in groupby(rows, itemgetter(0, 1))
    }


def _overview() -> str:
    parts = []
    for group, of_group in OVERVIEW.items():
        lines = []
        for relation, columns in of_group.items():
            grain = _GRAIN.search(tables()[relation].meaning)
            name = relation.removeprefix("marts.")
            lines.append(
                (f"`{name}`", grain[1] if grain else "", f"`{columns.replace(' ', ', ')}`")
            )
        parts.append(f"### {group}\n\n{_table('table | one row per | columns to know', lines)}")
    return "\n\n".join(parts)


def _macros() -> str:
    return _table(
        "measure | formed anew by | meaning",
        (
            (f"`{each.name}`", f"`marts.{each.macro}`", each.meaning)
            for each in measures().values()
            if each.macro
        ),
    )


def _controls() -> str:
    return _table(
        "control | first source | second source | claim",
        (
            (header.control, *(f"`{each}`" for each in header.sources), header.description)
            for _, header in _checks()
            if header.control
        ),
    )


def _sums() -> str:
    names = [name for name, _ in MERGED.values()]
    names += [name for name, header in _checks() if not header.control]
    return ",\n".join(f"`{name}`" for name in names) + "."


def _checks() -> list[tuple[str, Header]]:
    files = sorted((folder("queries") / "checks").glob("*.sql"))
    return [(each.stem, read_header(each.read_text(encoding="utf-8"))) for each in files]


def _resources() -> str:
    lines = []
    for name, resource in inspect.getmembers(AsyncLevain, lambda each: hasattr(each, "func")):
        kind = inspect.get_annotations(resource.func, eval_str=True)["return"]
        methods = [f"`{each}`" for each in vars(kind) if not each.startswith("_")]
        lines.append((f"`{name}`", ", ".join(methods)))
    return _table("resource | methods", lines)


def _packages() -> str:
    files = sorted((ROOT / "analytics").glob("*/__init__.py"))
    return _table(
        "folder | holds",
        (
            (f"`analytics/{file.parent.name}/`", (_docstring(file) or "").partition("\n")[0])
            for file in files
        ),
    )


def _docstring(file: Path) -> str | None:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def _errors() -> str:
    tree = inspect.getdoc(errors) or ""
    return f"```text\n{tree.partition(chr(10) * 2)[2]}\n```"


def _table(head: str, rows: Iterable[Sequence[str | None]]) -> str:
    lines = [head, " | ".join("---" for _ in head.split(" | "))]
    lines += [" | ".join(_cell(each or "") for each in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text as the cell of a table, on one line and without a column's end."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


MAKERS: dict[str, Callable[[], str]] = {
    "commands": _entries,
    "overview": _overview,
    "macros": _macros,
    "controls": _controls,
    "sums": _sums,
    "resources": _resources,
    "errors": _errors,
    "packages": _packages,
}

if __name__ == "__main__":
    main()
